"""Tests of tools/notebooks/ledger.py."""

import pytest

from tools.notebooks.ledger import Chapter, problems, table


def chapter(**changes) -> Chapter:
    return Chapter(**{"cells": 10, "executed": 10, "compared": 8, "seconds": 20.0} | changes)


def test_eight_of_ten_cells_in_twenty_seconds_are_enough():
    assert problems({"a": chapter()}, 1.0) == []
    assert problems({"a": chapter(seconds=60), "b": chapter(), "c": chapter()}, 1.0) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"executed": 9}, "a: only 9 of 10 cells were run"),
        ({"compared": 7}, "a: 7 of 10 code cells are compared, 70%; at least 80% must be"),
        ({"seconds": 91}, "a: took 91 s; the limit is 60 s × 1.5 allowed for a busy machine"),
        ({"seconds": 31}, "half of the chapters took more than 31 s; the limit is 20 s × 1.5"),
    ],
)
def test_too_little_or_too_slow(changes, message):
    assert any(p.startswith(message) for p in problems({"a": chapter(**changes)}, 1.5))


def test_cells_are_counted_and_time_is_the_last_cell_s():
    counted = Chapter(3)
    counted.add(compared=True, own=True, seconds=1.0)
    counted.add(compared=False, own=True, seconds=2.5)
    assert counted == Chapter(cells=3, executed=2, compared=1, own=1, seconds=2.5)


def test_the_table_adds_up():
    *_, total, median = table({"a": chapter(own=1), "b": chapter(compared=10, seconds=30.0)})
    assert total.split() == ["all", "20", "20", "18", "90%", "1", "50.0"]
    assert median == "median 25.0 s a chapter"
