"""English text that is already on this machine: what installed packages say about themselves.

The documentation strings of Python's standard library and of the packages that this library stands
on, as paragraphs of prose. The files are parsed, and nothing is imported. Other versions of the
packages have other words, so a result that depends on them holds within a tolerance.

Paper:   Brown et al. (2020), Language Models are Few-Shot Learners, arXiv:2005.14165, appendix C
         (text that shares 13 words in a row with the text of a test is left out).
Chapter: chapters/04_code/06_pretraining_a_gpt.ipynb
"""

import ast
import os
import re
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from itertools import groupby
from pathlib import Path

STDLIB = "stdlib"
PACKAGES = (
    *("matplotlib", "networkx", "numpy", "scipy", "sklearn", "sympy", "torch", "transformers"),
    STDLIB,
)
RUN = 13  # words in a row that two independent texts hardly ever share

_LEFT_OUT = re.compile(r"((.*_)?tests?|testing|_?vendor|_?externals?|(site|dist)-packages)$")
_TEST_FILE = re.compile(r"(test_.*|.*_test|conftest)\.py$")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.stmt, ast.ExceptHandler)  # what a definition may stand in; no expression is one
_NOT_PROSE = re.compile(r">>>|::=|===|---|[{}|\\]")


def load_docstrings(
    packages: Sequence[str] = PACKAGES, *, min_words: int = 12, avoid: str = ""
) -> list[str]:
    """Return one document for each module that has prose in its documentation strings.

    A document holds a paragraph on each line, in the order of the source. A paragraph that occurs
    again, in whatever module, is kept where it was first; tests, and code that a package carries
    along for others, are left out, and so is a file that Python cannot parse.

    Args:
        packages: Names that `import` would take, of packages installed as files; "stdlib" is the
            standard library. None is left out in silence: a corpus that lacks one is another.
        min_words: Length of the shortest paragraph that is kept.
        avoid: Text that will be held out. A paragraph is left out if `RUN` words in a row (all,
            if it has fewer) stand there too, whatever their case, punctuation and white space.

    Raises:
        ValueError: If a package is not found, is no folder of files, or there is no prose.
    """
    held_out, seen = _Runs(avoid), set[str]()
    documents = []
    for package in packages:
        for path in _modules(_folder(package)):
            paragraphs = []
            for paragraph in _prose(path, min_words):
                if paragraph not in seen and not held_out.share(paragraph):
                    paragraphs.append(paragraph)
                seen.add(paragraph)
            if paragraphs:
                documents.append("\n".join(paragraphs) + "\n")
    if not documents:
        raise ValueError(f"no prose of {min_words} words in the documentation of {list(packages)}")
    return documents


class _Runs:
    """The runs of words of a text, to find texts that share one."""

    def __init__(self, text: str) -> None:
        self.words = _words(text)
        self.runs: dict[int, set[tuple[str, ...]]] = {}

    def share(self, text: str) -> bool:
        """Whether the text has `RUN` words, or all it has, in a row in common with this one."""
        words = _words(text)
        n = min(RUN, len(words))
        if n not in self.runs:
            self.runs[n] = _runs(self.words, n)
        return not self.runs[n].isdisjoint(_runs(words, n))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _runs(words: list[str], n: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def _folder(package: str) -> Path:
    """Where a package's files are, found without importing it."""
    if package == STDLIB:
        return Path(sysconfig.get_path("stdlib"))
    spec = PathFinder.find_spec(package) if package.isidentifier() else None
    if spec is None:
        raise ValueError(
            f"there is no package {package!r} here to read; install it or leave it out"
        )
    folder = Path(next(iter(spec.submodule_search_locations or [spec.origin or ""])))
    if not folder.is_dir():
        raise ValueError(f"package {package!r} cannot be read: {str(folder)!r} is not a folder")
    return folder


def _modules(folder: Path) -> Iterator[Path]:
    """The source files of a package in the order of their names; links to folders stay closed."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _LEFT_OUT.match(name))
        for name in sorted(files):
            path = Path(place, name)
            if name.endswith(".py") and not _TEST_FILE.match(name) and path.is_file():
                yield path


def _prose(path: Path, min_words: int) -> Iterator[str]:
    """The paragraphs of prose of a module, each on one line."""
    for docstring in _docstrings(path):
        for block in re.split(r"\n\s*\n", docstring):
            # A new indent begins a new paragraph: a parameter's name, and what is said about it.
            for _, lines in groupby(block.split("\n"), key=_indent):
                text = " ".join(" ".join(lines).split())
                if len(text.split()) >= min_words and _is_prose(text):
                    yield text


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _docstrings(path: Path) -> list[str]:
    """The documentation strings of a file, in the order of its lines."""
    try:
        with warnings.catch_warnings(action="ignore"):  # strange escapes are its author's affair
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # not this Python's, not text, or written to be hard on parsers
    found: list[str] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)):
            found.append(text.encode(errors="replace").decode())  # no halves of characters
        inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, _BLOCKS)]
        waiting += reversed(inside)
    return found


def _is_prose(text: str) -> bool:
    """Sentences begin with a capital letter or a quotation mark and end with a stop."""
    if not re.match(r"[*\"'“‘`]*[A-Z0-9]", text) or not re.search(r"[.:!?)][\"'”’*`]*$", text):
        return False
    return not _NOT_PROSE.search(text)
