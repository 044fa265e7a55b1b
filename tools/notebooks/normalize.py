"""Make a notebook's file depend on its content alone, so that a diff shows what changed."""

import hashlib
import re
import sys
from collections import Counter
from pathlib import Path

from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
WIDGET = "application/vnd.jupyter.widget-view+json"

_VOLATILE_NOTEBOOK = ("jupytext", "widgets", "toc", "vscode", "colab", "orig_nbformat")
_VOLATILE_CELL = (
    "ExecuteTime",
    "collapsed",
    "colab",
    "execution",
    "id",
    "jupyter",
    "lines_to_next_cell",
    "outputId",
    "pycharm",
    "scrolled",
    "vscode",
)
# What nbformat (8 hex digits) and JupyterLab (a UUID) draw at random.
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}")
_PROGRESS = re.compile(r"\d+%\|.*\||\d+(\.\d+)?\w?it \[[\d:]+")
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)
_ERASED = re.compile(r"[^\n]\x08")


def normalize(notebook: NotebookNode) -> None:
    """Keep what is written and computed; drop what a tool, a clock or a machine left behind."""
    for key in _VOLATILE_NOTEBOOK:
        notebook.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = NotebookNode(KERNELSPEC)
    notebook.metadata["language_info"] = NotebookNode(LANGUAGE)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        for key in _VOLATILE_CELL:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = clean_outputs(cell.outputs)
    _give_ids(notebook.cells)


def clean_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join the streams that the kernel split; drop progress bars; hide the machine's paths."""
    kept = [output for output in outputs if WIDGET not in output.get("data", {})]
    kept = [output for output in join_streams(kept) if output.get("text") != ""]
    for output in kept:
        if output.output_type == "error":
            output.traceback = [_hide_paths(line) for line in output.traceback]
        elif output.output_type == "stream" and output.name == "stderr":
            output.text = _hide_paths(output.text)
    return kept


def join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Merge neighbouring streams, standard output before standard error; figures stay between."""
    joined: list[NotebookNode] = []
    run: dict[str, NotebookNode] = {}
    for output in [*outputs, None]:
        if output is not None and output.output_type == "stream":
            if output.name in run:
                run[output.name].text += output.text
            else:
                run[output.name] = NotebookNode(output)
            continue
        for name in sorted(run, key=["stdout", "stderr"].index):
            run[name].text = _as_seen(run[name].text, drop_progress=name == "stderr")
            joined.append(run[name])
        run = {}
        if output is not None:
            joined.append(output)
    return joined


def _as_seen(text: str, *, drop_progress: bool) -> str:
    """Apply carriage returns and backspaces as a terminal does."""
    while (shorter := _ERASED.sub("", text)) != text:
        text = shorter
    text = _OVERWRITTEN.sub("", text)
    if drop_progress:
        lines = text.splitlines(keepends=True)
        text = "".join(line for line in lines if line.strip() and not _PROGRESS.search(line))
    return text


def _hide_paths(text: str) -> str:
    text = re.sub(r"/\S*?/ipykernel_\d+/\d+\.py", "<cell>", text)
    return text.replace(f"{sys.prefix}/", "").replace(f"{ROOT}/", "")


def _give_ids(cells: list[NotebookNode]) -> None:
    """Keep an identifier that somebody chose; derive every other from the cell's content."""
    chosen = {cell.id for cell in cells if not _RANDOM_ID.fullmatch(cell.get("id", "00000000"))}
    seen: set[str] = set()
    copies: Counter[str] = Counter()
    for cell in cells:
        if cell.get("id") in chosen - seen:
            seen.add(cell.id)
            continue
        content = f"{cell.cell_type}:{cell.source}"
        copies[content] += 1
        digest = hashlib.sha256(f"{copies[content]}:{content}".encode()).hexdigest()
        cell["id"] = digest[:8]
        seen.add(cell.id)
