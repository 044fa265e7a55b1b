"""Pairs to translate, made without limit and without a network: dates and written numbers.

Dates are written in many languages and styles by `babel`, from the Unicode Common Locale Data
Repository, and are to be read as year-month-day; numbers are written out by `num2words` in two
languages. Small as they are, both need what translation needs: words change their order, one word
stands for several, and the length of the answer is not known beforehand.
"""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

DATE_LANGUAGES = ("en_US", "de", "fr", "es", "it", "nl", "pl", "tr", "zh", "ja")
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2049, 12, 31)
_STYLES = ("full", "long", "medium")


class Pair(NamedTuple):
    """A text and its translation."""

    source: str
    target: str


def draw_dates(
    n_pairs: int, *, languages: tuple[str, ...] = DATE_LANGUAGES, seed: int = 0
) -> list[Pair]:
    """Draw dates of 1900 to 2049, such as ("vendredi 5 mars 1999", "1999-03-05").

    Args:
        n_pairs: Number of pairs.
        languages: Locales of `babel` to draw from, all as often.
        seed: The same seed draws the same pairs.

    Raises:
        ValueError: If `n_pairs` is below one, or a language is unknown.
    """
    from babel.core import Locale, UnknownLocaleError
    from babel.dates import format_date

    _check_number("n_pairs", n_pairs)
    try:
        locales = [Locale.parse(language) for language in languages]
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"babel cannot write in one of {languages}: {error}") from error
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(n_pairs):
        day = _FIRST_DAY + timedelta(int(rng.integers((_LAST_DAY - _FIRST_DAY).days + 1)))
        style, locale = _STYLES[rng.integers(len(_STYLES))], locales[rng.integers(len(locales))]
        pairs.append(Pair(_plain(format_date(day, style, locale=locale)), day.isoformat()))
    return pairs


def draw_numbers(
    n_pairs: int, *, source: str = "en", target: str = "de", largest: int = 9_999, seed: int = 0
) -> list[Pair]:
    """Draw different numbers from zero on, such as ("twenty-one", "einundzwanzig").

    Args:
        n_pairs: Number of pairs, at most `largest` + 1.
        source: Language of `num2words` to translate from.
        target: Language to translate to.
        largest: The largest number.
        seed: The same seed draws the same pairs.

    Raises:
        ValueError: If there are not so many numbers, or a language is unknown.
    """
    from num2words import num2words

    _check_number("n_pairs", n_pairs)
    if n_pairs > largest + 1:
        raise ValueError(f"there are {largest + 1} numbers up to {largest}, got n_pairs {n_pairs}")
    numbers = np.random.default_rng(seed).choice(largest + 1, n_pairs, replace=False).tolist()
    try:
        return [
            Pair(_plain(num2words(n, lang=source)), _plain(num2words(n, lang=target)))
            for n in numbers
        ]
    except NotImplementedError:
        raise ValueError(f"num2words cannot write in {source!r} or {target!r}") from None


def _plain(text: str) -> str:
    """Use ordinary blanks, and leave out the invisible marks of the direction of writing."""
    return " ".join(text.replace("\u200e", "").replace("\u200f", "").split())


def _check_number(name: str, number: int) -> None:
    if number < 1:
        raise ValueError(f"{name} must be at least 1, got {number}")
