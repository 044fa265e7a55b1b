"""Mistakes in a formula that a renderer would show in red, or swallow."""

import re
from collections.abc import Iterator

# What MathJax 3 with its base and ams packages typesets; a star may follow.
_ENVIRONMENTS = re.compile(
    r"(?:[BVbpv]?matrix|smallmatrix|array|subarray|cases|split|equation|multline"
    r"|eqnarray|(?:gather|alignat|align)(?:ed)?)\*?"
)
_MARK = re.compile(
    r"\\(?P<side>begin|end)\s*\{(?P<name>[^{}]*)\}"
    r"|\\(?P<fence>left|right)(?![A-Za-z])"
    r"|\\.|(?P<brace>[{}])",
    re.DOTALL,
)
_PARTNER = {"}": "{", "right": "left"}


def formula_mistakes(tex: str) -> Iterator[str]:
    """Describe each mistake in the TeX of one formula."""
    bare = re.sub(r"\\.", "", tex, flags=re.DOTALL)  # without escaped characters
    if not tex.strip():
        yield "empty formula"
    if bare.rstrip().endswith("\\"):
        yield "formula ends with a backslash"
    if "%" in bare:
        yield "an unescaped % hides the rest of the line"
    if bare.count("$") % 2:
        yield "a $ inside a formula"
    for match in _MARK.finditer(tex):
        if match["name"] is not None and not _ENVIRONMENTS.fullmatch(match["name"]):
            yield f"unknown environment {match['name']!r}"
    yield from _nesting_mistakes(tex)


def _nesting_mistakes(tex: str) -> Iterator[str]:
    r"""Follow braces, environments and \left … \right: each closes what was opened last."""
    open_: list[str] = []
    for match in _MARK.finditer(tex):
        mark = match["name"] or match["fence"] or match["brace"]
        if mark is None:
            continue
        if match["side"] == "begin" or mark in ("{", "left"):
            open_.append(mark)
        elif not open_:
            yield f"{match.group()} closes nothing"
        elif open_.pop() != _PARTNER.get(mark, mark):
            yield f"{match.group()} closes something else"
    if open_:
        yield f"never closed: {', '.join(open_)}"
