"""Does a cell print today what it printed when its output was stored?

Text must match. A number with decimals or an exponent may move within the cell's tolerance; an
integer may not, since most integers in a book are counts, sizes and names. The cell's metadata
widens either: `{"bigmodel": {"rtol": 0.05, "atol": 1e-6, "integers": true}}`.
"""

import base64
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any

from PIL import Image

_NUMBER = re.compile(
    r"""
    (?: (?<![\w.)\]]) [-+−]                       # a sign, if it does not stand between operands
      | (?<![\w.]) )                              # not within a word, a decimal or a version
    (?> [0-9]{1,3} (?:,[0-9]{3})++ (?![0-9])      # 1,797
      | [0-9]++ )                                 # 1797
    (?> \.[0-9]*+ )?+
    (?> [eE][-+]?[0-9]++ )?+
    (?! \.[0-9] )                                 # 2.13.0 is a version
    """,
    re.VERBOSE,
)
_SIZED = ("width", "height", "viewBox")


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a number may move.

    Attributes:
        rtol: Part of the larger of the two numbers; below 1, or nothing could fail.
        atol: Absolute difference, for residues of rounding near zero; at most 1.
        integers: Whether integers may move too. They must not, unless a cell prints whole
            milliseconds and the like.
    """

    rtol: float = 1e-2
    atol: float = 1e-12
    integers: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.rtol < 1:
            raise ValueError(f"rtol must be at least 0 and below 1, got {self.rtol}")
        if not 0 <= self.atol <= 1:
            raise ValueError(f"atol must be between 0 and 1, got {self.atol}")
        if not isinstance(self.integers, bool):
            raise ValueError(f"integers must be true or false, got {self.integers!r}")

    @classmethod
    def of(cls, cell: Mapping[str, Any]) -> "Tolerance":
        """Read what a cell declares; the default where it declares nothing."""
        declared = cell["metadata"].get("bigmodel", {})
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(declared) - known):
            raise ValueError(f"cell metadata bigmodel knows {sorted(known)}, got {unknown}")
        return cls(**declared)

    def allows(self, stored: str, fresh: str) -> bool:
        """Compare two numbers as they were printed."""
        if not self.integers:
            if _is_integer(stored) != _is_integer(fresh):
                return False
            if not (_has_decimals(stored) or _has_decimals(fresh)):
                return stored == fresh
        a, b = (float(text.replace(",", "").replace("−", "-")) for text in (stored, fresh))
        return a == b or abs(a - b) <= max(self.atol, self.rtol * max(abs(a), abs(b)))


def _is_integer(number: str) -> bool:
    return not set(number) & set(".eE")


def _has_decimals(number: str) -> bool:
    """Whether a number shows a fraction or an exponent; `3.` shows neither."""
    return not _is_integer(number.rstrip("."))


def text_difference(stored: str, fresh: str, tolerance: Tolerance) -> str | None:
    """Say where two texts differ, or None if the second may stand for the first."""
    if stored == fresh:
        return None
    old_gaps, old_numbers = _split(stored)
    new_gaps, new_numbers = _split(fresh)
    if len(old_numbers) != len(new_numbers):
        return _first_line(stored, fresh)
    # A number that prints wider moves its neighbours: spaces beside it are padding.
    wider = [len(a) != len(b) for a, b in zip(old_numbers, new_numbers, strict=True)]
    before, after = [False, *wider], [*wider, False]
    for index, (old, new) in enumerate(zip(old_gaps, new_gaps, strict=True)):
        if _unpad(old, before[index], after[index]) != _unpad(new, before[index], after[index]):
            return _first_line(stored, fresh)
    for old, new in zip(old_numbers, new_numbers, strict=True):
        if not tolerance.allows(old, new):
            return f"stored {old}, now {new}; allowed: {_allowed(old, tolerance)}"
    return None


def _split(text: str) -> tuple[list[str], list[str]]:
    """Part a text into what stands between its numbers, and its numbers."""
    gaps, numbers, end = [], [], 0
    for match in _NUMBER.finditer(text):
        gaps.append(text[end : match.start()])
        numbers.append(match.group())
        end = match.end()
    return [*gaps, text[end:]], numbers


def _unpad(gap: str, left: bool, right: bool) -> str:
    gap = gap.lstrip(" ") if left else gap
    return gap.rstrip(" ") if right else gap


def _allowed(number: str, tolerance: Tolerance) -> str:
    if _is_integer(number) and not tolerance.integers:
        return "no change of an integer"
    return f"rtol {tolerance.rtol:g}, atol {tolerance.atol:g}"


def _first_line(stored: str, fresh: str) -> str:
    """Quote the first line in which two texts differ."""
    pairs = zip_longest(stored.splitlines(), fresh.splitlines())
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            return f"line {number}: stored {old!r}, now {new!r}"
    return f"stored {stored[-20:]!r}, now {fresh[-20:]!r} at the end"


def compared_outputs(outputs: list) -> list:
    """Leave out what is not compared: standard error."""
    return [
        output
        for output in outputs
        if output["output_type"] != "stream" or output["name"] != "stderr"
    ]


def outputs_difference(stored: list, fresh: list, tolerance: Tolerance) -> str | None:
    """Say how a cell's outputs differ, or None if they agree."""
    stored, fresh = compared_outputs(stored), compared_outputs(fresh)
    kinds = [[_kind(output) for output in outputs] for outputs in (stored, fresh)]
    if kinds[0] != kinds[1]:
        return f"stored outputs: {_listed(kinds[0])}; now: {_listed(kinds[1])}"
    for old, new in zip(stored, fresh, strict=True):
        for part, (before, after) in _parts(old, new).items():
            if difference := _part_difference(part, before, after, tolerance):
                return f"{part}: {difference}"
    return None


def _kind(output: Mapping[str, Any]) -> str:
    if "data" in output:
        return f"{output['output_type']} ({', '.join(sorted(output['data']))})"
    return output.get("ename") or output.get("name") or output["output_type"]


def _listed(kinds: list[str]) -> str:
    return "; ".join(kinds) or "none"


def _parts(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    if "data" in old:
        return {mime: (old["data"][mime], new["data"][mime]) for mime in old["data"]}
    name = "evalue" if old["output_type"] == "error" else "text"
    return {name: (old[name], new[name])}


def _part_difference(part: str, old: Any, new: Any, tolerance: Tolerance) -> str | None:
    if part == "image/svg+xml":
        sizes = _svg_size(old), _svg_size(new)
    elif part.startswith("image/"):
        sizes = _pixels(old), _pixels(new)
    else:
        return text_difference(_as_text(old), _as_text(new), tolerance)
    return None if sizes[0] == sizes[1] else f"stored size {sizes[0]}, now {sizes[1]}"


def _as_text(value: Any) -> str:
    if isinstance(value, list):  # a notebook may store a text as a list of lines
        return "".join(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, indent=1)


def _pixels(encoded: str | list[str]) -> str:
    with Image.open(io.BytesIO(base64.b64decode(_as_text(encoded)))) as image:
        image.load()  # a truncated image is no image
        return f"{image.width}×{image.height}"


def _svg_size(source: str | list[str]) -> str:
    opening = re.search(r"<svg\b[^>]*>", _as_text(source))
    attributes = dict(re.findall(r'([\w:]+)="([^"]*)"', opening.group() if opening else ""))
    return " ".join(f"{name}={attributes.get(name)}" for name in _SIZED)
