"""The library's own source in a notebook: PyTorch and TensorFlow in tabs, read from the files.

Nothing is imported, neither the module that is shown nor a framework: `ast` finds the lines.
The listing is HTML and CSS without scripts, so that it looks and works the same in JupyterLab, on
the site and with the network cut: the tabs are radio buttons, reached with the keyboard. It is
the same text in every run, so that a validated notebook notices when the library has changed.
"""

import ast
import textwrap
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from pygments import lex
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

_PACKAGE = Path(__file__).parents[1]
_CLASSES = {  # the first that holds a token gives it its colour; other tokens are plain text
    "bml-c": (Comment, String.Doc),
    "bml-s": (String,),
    "bml-n": (Number,),
    "bml-k": (Keyword, Operator.Word),
    "bml-d": (Name.Class, Name.Function, Name.Decorator),
    "bml-b": (Name.Builtin, Name.Exception),
}


class Listing(NamedTuple):
    """Lines of one file."""

    framework: str
    file: str
    code: str


class Source:
    """A definition and, where there is one, its twin; the last expression of a cell shows it."""

    def __init__(self, title: str, listings: list[Listing]) -> None:
        self.title = title
        self.listings = listings

    def __repr__(self) -> str:
        return "\n\n".join(f"# {listing.file}\n{listing.code}" for listing in self.listings)

    def _repr_html_(self) -> str:
        style = " ".join(_PACKAGE.joinpath("viz", "source.css").read_text("utf-8").split())
        return (
            f'<style>{style}</style><fieldset class="bml-source">'
            f"<legend>Source of {escape(self.title)}</legend>{self._tabs()}{self._panels()}"
            "</fieldset>"
        )

    def _tabs(self) -> str:
        """One radio button for each listing, the first one chosen; none for a single listing."""
        if len(self.listings) == 1:
            return ""
        group = f"bml-{crc32(self.title.encode()):08x}"
        tabs = "".join(
            f'<label><input type="radio" name="{group}" value="{number}"'
            f"{' checked' if number == 1 else ''}>{listing.framework}</label>"
            for number, listing in enumerate(self.listings, start=1)
        )
        return f'<div class="bml-tabs">{tabs}</div>'

    def _panels(self) -> str:
        """Where each listing comes from, and its lines; long ones scroll in a focusable region."""
        return "".join(
            f'<div class="bml-panel"><p class="bml-file">{listing.file}</p>'
            f'<pre class="bml-code" tabindex="0" role="region" '
            f'aria-label="{escape(self.title)} in {listing.file}">'
            f"{_highlight(listing.code)}</pre></div>"
            for listing in self.listings
        )


def show_source(module: str, name: str | None = None) -> Source:
    """Show a definition of the library, and its TensorFlow twin if there is one.

    Args:
        module: Dotted path below `bigmodel_lib`, such as "models.mlp".
        name: What to show: a class, a function, a method ("MLP.forward") or a constant.
            None shows the whole file.

    Raises:
        ValueError: If there is no such module, or it defines no such name.
    """
    file = Path(*module.split(".")).with_suffix(".py")
    if not all(part.isidentifier() for part in module.split(".")) or not _exists(file):
        raise ValueError(f"there is no module bigmodel_lib.{module}")
    names = _definitions(file)
    if name is not None and name not in names:
        raise ValueError(f"bigmodel_lib.{module} defines no {name!r}, only {', '.join(names)}")
    listings = [Listing("PyTorch", f"bigmodel_lib/{file.as_posix()}", _code(file, name))]
    twin = "tf" / file
    if _exists(twin) and (name is None or name in _definitions(twin)):
        listings.append(Listing("TensorFlow", f"bigmodel_lib/{twin.as_posix()}", _code(twin, name)))
    return Source(f"{module}.{name}" if name else module, listings)


def _exists(file: Path) -> bool:
    return _PACKAGE.joinpath(file).is_file()


def _code(file: Path, name: str | None) -> str:
    """Return the lines of `file` that define `name`, from its decorators to its end."""
    lines = _PACKAGE.joinpath(file).read_text("utf-8").splitlines()
    if name is not None:
        first, last = _definitions(file)[name]
        lines = lines[first - 1 : last]
    return textwrap.dedent("\n".join(lines))


def _definitions(file: Path) -> dict[str, tuple[int, int]]:
    """First and last line of every class, function, method and constant of a file."""
    found: dict[str, tuple[int, int]] = {}

    def visit(nodes: list[ast.stmt], prefix: str) -> None:
        for node in nodes:
            last = node.end_lineno or node.lineno
            match node:
                case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                    found[prefix + node.name] = (first, last)
                    if isinstance(node, ast.ClassDef):
                        visit(node.body, f"{prefix}{node.name}.")
                case (
                    ast.Assign(targets=[ast.Name(id=target)])
                    | ast.AnnAssign(target=ast.Name(id=target))
                ):
                    found[prefix + target] = (node.lineno, last)

    visit(ast.parse(_PACKAGE.joinpath(file).read_text("utf-8")).body, "")
    return found


def _highlight(code: str) -> str:
    """Mark the kinds of words with CSS classes; neighbours of one kind share a span."""
    parts = []
    for css, tokens in groupby(
        lex(code, PythonLexer(stripnl=False, ensurenl=False)), lambda t: _css_class(t[0])
    ):
        text = escape("".join(value for _, value in tokens), quote=False)
        parts.append(f'<span class="{css}">{text}</span>' if css and text.strip() else text)
    return "".join(parts)


def _css_class(token: _TokenType) -> str:
    return next((css for css, kinds in _CLASSES.items() if any(token in k for k in kinds)), "")
