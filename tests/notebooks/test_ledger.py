"""Tests of tools/notebooks/ledger.py."""

import pytest

from tools.notebooks.ledger import Chapter, problems, table


def chapter(seconds=20.0, **changes) -> Chapter:
    times = {"seconds": seconds + 1, "cpu_seconds": seconds}
    return Chapter(**{"cells": 10, "executed": 10, "compared": 8} | times | changes)


def test_eight_of_ten_cells_in_twenty_seconds_are_enough():
    assert problems({"a": chapter()}, 1.0) == []
    assert problems({"a": chapter(60.0), "b": chapter(), "c": chapter()}, 1.0) == []


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (chapter(executed=9), "a: only 9 of 10 cells were run"),
        (chapter(compared=7), "a: 7 of 10 code cells are compared, 70%; at least 80% must be"),
        (chapter(91.0), "a: took 91 s; the limit is 60 s × 1.5 allowed for a slower machine"),
        (chapter(31.0), "half of the chapters took more than 31 s; the limit is 20 s × 1.5"),
    ],
)
def test_too_little_or_too_slow(record, message):
    assert any(p.startswith(message) for p in problems({"a": record}, 1.5))


def test_cells_are_counted_and_time_is_the_last_cell_s():
    counted = Chapter(3)
    counted.add(compared=True, own=True, seconds=1.0, cpu_seconds=0.5)
    counted.add(compared=False, own=True, seconds=2.5, cpu_seconds=0.7)
    assert counted == Chapter(3, executed=2, compared=1, own=1, seconds=2.5, cpu_seconds=0.7)


def test_waiting_for_a_core_is_not_the_chapter_s_fault():
    assert problems({"a": Chapter(1, 1, 1, seconds=300.0, cpu_seconds=15.0)}, 1.0) == []


def test_the_table_adds_up():
    *_, total, median = table({"a": chapter(own=1), "b": chapter(compared=10, seconds=28.0)})
    assert total.split() == ["all", "20", "20", "18", "90%", "1", "50.0", "48.0"]
    assert median == "median 24.0 s a chapter"
