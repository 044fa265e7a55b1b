"""A page of the book as the rules see it: cells as they are stored, prose as MyST reads it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

_EXTENSIONS = {"amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath", "substitution"}
_DIRECTIVE = re.compile(r"\{([\w:.-]+)\}\s*(.*)")
_OPTION = re.compile(r":([\w-]+):\s*(.*)")
_MATH = {
    "amsmath",
    "math_block",
    "math_block_label",
    "math_inline",
    "math_inline_double",
    "math_single",
}
_NOT_PROSE = {"code", "code-block", "code-cell", "literalinclude", "math", "raw", "mermaid"}


class Piece(NamedTuple):
    """One meaningful thing in a markdown cell.

    Attributes:
        cell: Index of the cell, from 0.
        kind: text, math, display_math, role, directive, image, code or html.
        name: The role's, directive's or code's name; an image's address.
        content: What is inside; an image's alternative text.
        argument: A directive's argument.
        options: A directive's options.
    """

    cell: int
    kind: str
    name: str
    content: str
    argument: str = ""
    options: dict[str, str] = {}  # noqa: RUF012  never changed


@dataclass(frozen=True)
class Page:
    """A notebook, or a markdown file as a notebook of one cell.

    Attributes:
        path: Where it is.
        cells: The cells as JSON holds them, sources and texts joined to strings.
        metadata: The notebook's metadata.
        n_bytes: Size of the file.
    """

    path: Path
    cells: list[dict[str, Any]]
    metadata: dict[str, Any]
    n_bytes: int

    @classmethod
    def read(cls, path: Path) -> "Page":
        """Read without repairing anything, as a library that validates would."""
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":
            cells, metadata = [{"cell_type": "markdown", "metadata": {}, "source": text}], {}
        else:
            notebook = json.loads(text)
            cells, metadata = notebook["cells"], notebook["metadata"]
        for cell in cells:
            cell["source"] = _joined(cell["source"])
        return cls(path, cells, metadata, len(text.encode()))

    @property
    def is_notebook(self) -> bool:
        """Whether the page has code cells to check."""
        return self.path.suffix == ".ipynb"

    @cached_property
    def code(self) -> list[tuple[int, dict[str, Any]]]:
        """The code cells with their indices."""
        return [(i, cell) for i, cell in enumerate(self.cells) if cell["cell_type"] == "code"]

    @cached_property
    def pieces(self) -> list[Piece]:
        """All prose, in order."""
        parser = _parser()
        return [
            piece
            for index, cell in enumerate(self.cells)
            if cell["cell_type"] == "markdown"
            for piece in _pieces(parser, index, cell["source"])
        ]

    def of(self, *kinds: str) -> list[Piece]:
        """The pieces of some kinds."""
        return [piece for piece in self.pieces if piece.kind in kinds]


def _joined(text: str | list[str]) -> str:
    return "".join(text) if isinstance(text, list) else text


def output_texts(cell: dict[str, Any]) -> Iterator[str]:
    """Every text that a code cell shows; images are not text."""
    for output in cell["outputs"]:
        yield _joined(output.get("text", ""))
        yield from output.get("traceback", [])
        for mime, value in output.get("data", {}).items():
            if not mime.startswith("image/"):
                yield _joined(value) if isinstance(value, str | list) else json.dumps(value)


def output_images(cell: dict[str, Any]) -> Iterator[str]:
    """Every raster image that a code cell shows, base64-encoded."""
    for output in cell["outputs"]:
        for mime, value in output.get("data", {}).items():
            if mime in ("image/png", "image/jpeg"):
                yield _joined(value)


def shows_figure(cell: dict[str, Any]) -> bool:
    """Whether a code cell's outputs hold an image of any kind."""
    return any(
        mime.startswith("image/") for output in cell["outputs"] for mime in output.get("data", {})
    )


def _parser() -> MarkdownIt:
    config = MdParserConfig(enable_extensions=_EXTENSIONS)
    parser = create_md_parser(config, RendererHTML)
    parser.disable("text_join")  # keeps an escaped \$ apart from a lone $
    return parser


def _pieces(parser: MarkdownIt, cell: int, source: str) -> Iterator[Piece]:
    for token in parser.parse(source):
        if token.type == "inline":
            yield from _of_inline(parser, cell, token.children or [])
        else:
            yield from _of_token(parser, cell, token)


def _of_inline(parser: MarkdownIt, cell: int, tokens: list[Token]) -> Iterator[Piece]:
    """The pieces of a paragraph; a run of text is one piece, without what is escaped in it."""
    text = ""
    for token in tokens:
        if token.type == "text" or (token.type == "text_special" and token.content[0] == "\\"):
            text += token.content
        elif token.type != "text_special":
            yield Piece(cell, "text", "", text)
            text = ""
            yield from _of_token(parser, cell, token)
    yield Piece(cell, "text", "", text)


def _of_token(parser: MarkdownIt, cell: int, token: Token) -> Iterator[Piece]:
    if token.type in _MATH:
        kind = "math" if token.type == "math_inline" else "display_math"
        yield Piece(cell, kind, "", token.content)
    elif token.type == "myst_role":
        yield Piece(cell, "role", str(token.meta["name"]), token.content)
    elif token.type == "image":
        yield Piece(cell, "image", str(token.attrs["src"]), token.content)
    elif token.type in ("html_block", "html_inline"):
        yield Piece(cell, "html", "", token.content)
    elif token.type in ("fence", "colon_fence"):
        yield from _of_fence(parser, cell, token)


def _of_fence(parser: MarkdownIt, cell: int, token: Token) -> Iterator[Piece]:
    match = _DIRECTIVE.match(token.info.strip())
    if not match:
        yield Piece(cell, "code", token.info.strip(), token.content)
        return
    name, argument = match.groups()
    options, body = _options(token.content)
    yield Piece(cell, "directive", name, body, argument.strip(), options)
    if name == "math":
        yield Piece(cell, "display_math", "", body)
    elif name not in _NOT_PROSE:
        yield from _pieces(parser, cell, body)


def _options(content: str) -> tuple[dict[str, str], str]:
    """Part a directive's `:key: value` or `--- key: value ---` head from its body."""
    lines = content.splitlines(keepends=True)
    options: dict[str, str] = {}
    if lines and lines[0].strip() == "---":
        end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
        for line in lines[1:end]:
            key, _, value = line.partition(":")
            options[key.strip()] = value.strip().strip("\"'")
        return options, "".join(lines[end + 1 :])
    while lines and (match := _OPTION.match(lines[0].strip())):
        options[match.group(1)] = match.group(2).strip()
        lines.pop(0)
    return options, "".join(lines)
