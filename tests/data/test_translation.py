"""Tests of bigmodel_lib/data/translation.py."""

import re
from datetime import date

import pytest

from bigmodel_lib.data.translation import draw_dates, draw_numbers

SMALL = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905


def read(words: str) -> int:
    """Read an English number below ten thousand, by a rule of our own."""
    total, group = 0, 0
    for word in re.findall(r"\w+", words):
        if word == "thousand":
            total, group = 1_000 * group, 0
        elif word == "hundred":
            group *= 100
        elif word in TENS:
            group += 20 + 10 * TENS.index(word)
        elif word != "and":
            group += (SMALL + TEENS).index(word)
    return total + group


@pytest.mark.parametrize("language", ["en_US", "de", "fr", "pl", "tr", "ar", "zh", "ja", "fi"])
def test_a_date_says_its_day_and_its_year(language):
    for source, target in draw_dates(200, languages=(language,)):
        day = date.fromisoformat(target)
        numbers = [int(number) for number in re.findall(r"\d+", source)]
        assert 1900 <= day.year <= 2049
        assert day.year in numbers, source
        assert day.day in numbers, source


def test_dates_of_one_language_mean_one_day():
    pairs = draw_dates(3_000, languages=("de",))
    meanings = dict(pairs)
    assert all(meanings[source] == target for source, target in pairs)


def test_english_dates_are_written_in_three_styles():
    found = set()
    for source, target in draw_dates(200, languages=("en_US",)):
        day = date.fromisoformat(target)
        styles = [f"{day:%A, %B} {day.day}, {day.year}", f"{day:%B} {day.day}, {day.year}",
                  f"{day:%b} {day.day}, {day.year}"]  # fmt: skip
        found.add(styles.index(source))
    assert found == {0, 1, 2}


def test_blanks_are_plain():
    for source, _ in draw_dates(300, languages=("ru", "ar", "fr")):
        assert not re.search("[\u00a0\u202f\u200e\u200f]|  ", source)


def test_numbers_mean_the_same_in_both_languages():
    for source, target in draw_numbers(2_000, source="en", target="en"):
        assert source == target
        assert 0 <= read(source) <= 9_999
    numbers = [read(pair.source) for pair in draw_numbers(500, target="de")]
    assert len(set(numbers)) == 500
    assert dict(draw_numbers(100, largest=99))["twenty-one"] == "einundzwanzig"


@pytest.mark.parametrize("draw", [draw_dates, draw_numbers])
def test_the_seed_decides_everything(draw):
    assert draw(20) == draw(20)
    assert draw(20) != draw(20, seed=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_dates(0), "n_pairs must be at least 1, got 0"),
        (lambda: draw_dates(1, languages=("klingon",)), r"babel cannot write in .*klingon"),
        (lambda: draw_numbers(101, largest=99), "100 numbers up to 99, got n_pairs 101"),
        (lambda: draw_numbers(1, target="xx"), "num2words cannot write in 'en' or 'xx'"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
