"""Tests of bigmodel_lib/data/text.py."""

import sys
import sysconfig
from pathlib import Path
from pydoc_data import topics as topics_module

import pytest

from bigmodel_lib.data.text import load_passages, load_source, load_text

OLD_AND_NEW = {  # the same small reference as different versions of Python write it
    "plain": 'The "try" statement\n*******************\n\nA sentence, long enough.\n\n   x ::= y\n',
    "blank first line": '\nThe "try" statement\n*******************\n\nA sentence, long\nenough.\n',
    "other line ends": 'The "try" statement\r\n=====\r\n\r\nA sentence,   long\r\nenough.\r\n',
    "trailing spaces": 'The "try" statement  \n*****  \n  \nA sentence, long enough.  \n',
}


@pytest.fixture
def reference(monkeypatch):
    def install(**topics: str) -> None:
        monkeypatch.setattr(topics_module, "topics", topics)

    return install


def test_passages_are_prose_under_their_headings():
    passages = load_passages()
    by_title = {passage.title: passage.text for passage in reversed(passages)}

    assert len(passages) > 800
    assert by_title["The if statement"].startswith("It selects exactly one of the suites")
    assert "Truth Value Testing" in by_title
    assert not any("::=" in p.text or ">>>" in p.text or "\n" in p.text for p in passages)
    assert min(len(p.text.split()) for p in passages) >= 12


def test_a_method_is_part_of_the_title():
    titles = {passage.title for passage in load_passages()}
    assert "Emulating container types: object.__len__" in titles


@pytest.mark.parametrize("load", [load_passages, lambda: load_text().split("\n\n")])
def test_nothing_is_said_twice(load):
    parts = [getattr(part, "text", part) for part in load()]
    assert len(parts) == len(set(parts))


def test_the_text_is_most_of_the_reference():
    text, raw = load_text(), sum(map(len, topics_module.topics.values()))
    assert 0.7 * raw < len(text) < raw
    assert "if_stmt" in text
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_a_well_known_corpus_is_one_argument_away():
    with pytest.raises(ValueError, match=r"name must be 'shakespeare', .* got 'tolstoy'"):
        load_text("tolstoy")


@pytest.mark.parametrize("topic", OLD_AND_NEW.values(), ids=OLD_AND_NEW)
def test_versions_of_python_that_write_it_differently(reference, topic):
    reference(**{"try": topic})
    assert load_passages(min_words=3) == [("The try statement", "A sentence, long enough.")]


def test_order_does_not_depend_on_the_dictionary(reference):
    reference(b="Bees\n****\n\nBees make honey.", a="Ants\n****\n\nAnts make paths.")
    assert [p.title for p in load_passages(min_words=1)] == ["Ants", "Bees"]


def test_an_entry_ends_where_the_margin_begins(reference):
    reference(a="Ants\n****\n\nant.walk(self)\n\n   Walks far.\n\nNow something else.")
    assert load_passages(min_words=1) == [
        ("Ants: ant.walk", "Walks far."),
        ("Ants", "Now something else."),
    ]


def test_source_is_the_standard_library():
    source = load_source()
    ast_module = Path(sysconfig.get_path("stdlib"), "ast.py").read_text("utf-8")

    assert ast_module in source
    assert len(source) > 3_000_000


def test_source_stops_before_the_limit():
    part = load_source(max_bytes=200_000)
    longer = load_source(max_bytes=400_000)

    assert 0 < len(part.encode()) <= 200_000 < len(longer.encode()) <= 400_000
    assert longer.startswith(part)
    with pytest.raises(ValueError, match=r"max_bytes must be at least \d+, got 1"):
        load_source(max_bytes=1)


def test_this_python_is_one_that_ships_the_reference():
    assert sys.version_info >= (3, 11)
    assert len(topics_module.topics) > 50
