"""Rules on the code cells and on how they were run."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

from IPython.core.inputtransformer2 import TransformerManager

from tools.notebooks.compare import Tolerance, compared_outputs
from tools.notebooks.kernel import CHAPTER_SECONDS, ENVIRONMENT
from tools.notebooks.ledger import LEAST_SHARE
from tools.notebooks.markers import escape_markers
from tools.notebooks.page import Page

Findings = Iterator[tuple[int | None, str]]

MOST_LINES = 25
MOST_BYTES = 400_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ENDS = {"exit", "quit", "sys.exit", "os._exit", "os.abort", "SystemExit", "input", "breakpoint"}
_SHELL = {"system", "getoutput"}
_MAGIC = {"run_line_magic", "run_cell_magic"}
_FRAMEWORKS = {
    "PyTorch": re.compile(
        r"(?:torch\w*|transformers|bigmodel_lib\.(?:layers|models|training|generation))(?:\.|$)"
    ),
    "TensorFlow": re.compile(r"(?:tensorflow|keras|bigmodel_lib\.tf)(?:\.|$)"),
}


def executed(page: Page) -> Findings:
    """Every code cell has run."""
    for index, cell in page.code:
        if not cell["source"].strip():
            yield index, "the code cell is empty"
        elif cell.get("execution_count") is None:
            yield index, "the cell was never executed"


def execution_order(page: Page) -> Findings:
    """The cells ran from top to bottom, once, in a fresh kernel."""
    for expected, (index, cell) in enumerate(page.code, start=1):
        count = cell.get("execution_count")
        if count is not None and count != expected:
            yield index, f"execution count {count}, expected {expected}: run the notebook whole"
            return


def cell_ids(page: Page) -> Findings:
    """Every cell has an identifier of its own."""
    copies = Counter(cell.get("id") for cell in page.cells)
    for index, cell in enumerate(page.cells):
        name = cell.get("id")
        if name is None:
            yield index, "the cell has no id"
        elif not _ID.fullmatch(name):
            yield index, f"{name!r} is not a valid id"
        elif copies[name] > 1:
            yield index, f"the id {name} occurs {copies[name]} times"


def passport(page: Page) -> Findings:
    """The outputs come from `tools.notebooks.execute`, within the time a chapter may take."""
    stored = page.metadata.get("bigmodel", {}).get("passport")
    if stored is None:
        yield None, "no passport: run python -m tools.notebooks.execute"
        return
    if stored["profile"] != ENVIRONMENT["BIGMODEL_PROFILE"]:
        yield None, f"outputs of the profile {stored['profile']}, not ci"
    if min(stored["seconds"], stored["cpu_seconds"]) > CHAPTER_SECONDS:
        yield None, f"took {stored['seconds']} s; the limit is {CHAPTER_SECONDS} s"
    if {"torch", "tensorflow"} <= set(stored["packages"]):
        yield None, "the kernel loaded both PyTorch and TensorFlow"


def one_framework(page: Page) -> Findings:
    """A notebook imports PyTorch or TensorFlow, not both."""
    first: dict[str, int] = {}
    for index, tree in _trees(page):
        for module in _imported(tree):
            for framework, pattern in _FRAMEWORKS.items():
                if pattern.match(module):
                    first.setdefault(framework, index)
    if len(first) > 1:
        yield max(first.values()), "PyTorch and TensorFlow are imported in one notebook"


def valid_python(page: Page) -> Findings:
    """Every code cell parses."""
    for index, cell in page.code:
        try:
            _tree(cell["source"])
        except SyntaxError as error:
            yield index, f"not Python: {error.msg} (line {error.lineno})"


def no_exit(page: Page) -> Findings:
    """No cell ends, stops or questions the kernel."""
    for index, tree in _trees(page):
        for node in ast.walk(tree):
            named = node.func if isinstance(node, ast.Call) else getattr(node, "exc", None)
            if named is not None and ast.unparse(named) in _ENDS:
                yield index, f"{ast.unparse(named)} has no place in a notebook"


def no_shell(page: Page) -> Findings:
    """No cell leaves Python: no `!`, no `%pip`, no `%%bash`."""
    for index, tree in _trees(page):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in _SHELL | _MAGIC:
                line = ast.unparse(node.value)
                if line == "get_ipython()":
                    yield index, "a shell command or magic: it does not run everywhere"


def no_skip(page: Page) -> Findings:
    """No cell is left out of the validation."""
    for index, cell in page.code:
        for marker in escape_markers(cell):
            yield index, f"{marker}: no cell of this book is left out"


def tolerance(page: Page) -> Findings:
    """A declared tolerance is one that can fail."""
    for index, cell in page.code:
        try:
            Tolerance.of(cell)
        except (TypeError, ValueError) as error:
            yield index, str(error)


def short_cells(page: Page) -> Findings:
    """Long code lives in the library."""
    for index, cell in page.code:
        lines = len(cell["source"].splitlines())
        if lines > MOST_LINES:
            yield index, f"{lines} lines of code; at most {MOST_LINES}"


def small_file(page: Page) -> Findings:
    """A notebook with its outputs stays small."""
    if page.n_bytes > MOST_BYTES:
        yield None, f"{page.n_bytes // 1000} kB; at most {MOST_BYTES // 1000} kB"


def enough_compared(page: Page) -> Findings:
    """Most code cells show something that the validation can compare."""
    shown = [index for index, cell in page.code if compared_outputs(cell["outputs"])]
    if not page.code:
        yield None, "no code cell"
    elif len(shown) < LEAST_SHARE * len(page.code):
        silent = [index for index, _ in page.code if index not in shown]
        yield (
            None,
            f"{len(shown)} of {len(page.code)} code cells show something to compare, less than "
            f"{LEAST_SHARE:.0%}; silent cells: {', '.join(map(str, silent))}",
        )


def _tree(source: str) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(source))


def _trees(page: Page) -> Iterator[tuple[int, ast.Module]]:
    for index, cell in page.code:
        try:
            yield index, _tree(cell["source"])
        except SyntaxError:
            continue  # valid_python reports it


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
