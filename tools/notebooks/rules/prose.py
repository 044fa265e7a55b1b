"""Rules on the prose: formulas, citations, terms, pictures from elsewhere, things left to do."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pybtex.database import BibliographyData, parse_file

from tools.notebooks.normalize import ROOT
from tools.notebooks.page import Page
from tools.notebooks.tex import formula_mistakes

Findings = Iterator[tuple[int | None, str]]

_UNDONE = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b|lorem ipsum", re.IGNORECASE)
BIBLIOGRAPHY = ROOT / "book" / "references.bib"
GLOSSARY = ROOT / "book" / "glossary.md"


def formulas(page: Page) -> Findings:
    """Every formula is well-formed, and every dollar sign belongs to one or is escaped."""
    for piece in page.of("math", "display_math"):
        for mistake in formula_mistakes(piece.content):
            yield piece.cell, f"{mistake}: {_short(piece.content)}"
        if piece.kind == "math" and piece.content != piece.content.strip():
            yield piece.cell, f"formula begins or ends with a space: {_short(piece.content)}"
    for piece in page.of("text"):
        if "$" in piece.content:
            yield piece.cell, f"a $ without its pair: {_short(piece.content)}"
        if "\\begin{" in piece.content or "\\end{" in piece.content:
            yield piece.cell, f"TeX outside a formula: {_short(piece.content)}"


def citations(page: Page) -> Findings:
    """Every citation is in the bibliography."""
    known = bibliography(BIBLIOGRAPHY).entries
    for piece in page.of("role"):
        if piece.name.partition(":")[0] == "cite":
            for key in map(str.strip, piece.content.split(",")):
                if key not in known:
                    yield piece.cell, f"{{cite}}`{key}` is not in book/{BIBLIOGRAPHY.name}"


def terms(page: Page) -> Findings:
    """Every linked term is in the glossary."""
    known = glossary(GLOSSARY)
    for piece in page.of("role"):
        if piece.name == "term":
            match = re.fullmatch(r".*<([^<>]+)>", piece.content, re.DOTALL)
            term = " ".join((match.group(1) if match else piece.content).split())
            if term.lower() not in known:
                yield piece.cell, f"{{term}}`{term}` is not in book/{GLOSSARY.name}"


def no_remote_images(page: Page) -> Findings:
    """Every picture is part of the project, so that the book reads offline."""
    for piece in page.pieces:
        source = piece.argument if piece.name in ("image", "figure") else piece.name
        tag = re.search(r"<img\b[^>]*\bsrc\s*=\s*[\"']?(\S+)", piece.content)
        if piece.kind == "html" and tag:
            source = tag.group(1)
        if piece.kind in ("image", "directive", "html") and re.match(r"(?:https?:)?//", source):
            yield piece.cell, f"the picture {source} is not part of the project"


def nothing_left_to_do(page: Page) -> Findings:
    """No note to oneself is published."""
    for index, cell in enumerate(page.cells):
        if match := _UNDONE.search(cell["source"]):
            yield index, f"says {match.group()}"


@cache
def bibliography(path: Path) -> BibliographyData:
    """Read references; a repeated key is an error of its own."""
    return parse_file(path, bib_format="bibtex")


@cache
def glossary(path: Path) -> frozenset[str]:
    """Read the terms that a page's glossary directives define, in lower case."""
    return frozenset(
        " ".join(line.partition(" : ")[0].split()).lower()
        for piece in Page.read(path).of("directive")
        if piece.name == "glossary"
        for line in piece.content.splitlines()
        if line.strip() and not line[0].isspace()
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else f"{text[:57]}…")
