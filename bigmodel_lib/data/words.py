"""Where a text may be cut into words before it is cut into tokens.

Paper: Radford et al. (2019), Language Models are Unsupervised Multitask Learners, section 2.2:
       without such cuts "dog", "dog." and "dog!" would each become a token of its own.
"""

import re
from functools import cache
from unicodedata import category

_WHITE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PLANES = range(0x40000)  # no letter or number lies beyond


def split_words(text: str) -> list[str]:
    """Cut text where no merge may cross: a word takes the blank before it along, as in GPT-2."""
    return _pattern().findall(text)


@cache
def _pattern() -> re.Pattern[str]:
    """GPT-2's pattern, with the classes that `re` has no names for written out."""
    kinds = [category(chr(code))[0] for code in _PLANES]
    letters, numbers = _ranges(kinds, "L"), _ranges(kinds, "N")
    return re.compile(
        f"'s|'t|'re|'ve|'m|'ll|'d| ?[{letters}]+| ?[{numbers}]+| ?[^{_WHITE}{letters}{numbers}]+"
        f"|[{_WHITE}]+(?![^{_WHITE}])|[{_WHITE}]+"
    )


def _ranges(kinds: list[str], kind: str) -> str:
    """Characters of one kind as a class of `re`: where they begin and where they end."""
    edges = [code for code in _PLANES if (kinds[code] == kind) != (kinds[code - 1] == kind)]
    return "".join(
        f"\\U{first:08x}-\\U{after - 1:08x}"
        for first, after in zip(edges[::2], edges[1::2], strict=True)
    )
