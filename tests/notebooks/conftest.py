"""A small chapter that breaks no rule, executed once; tests change copies of it."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.notebooks import execute

HEAD = """(sec:good)=
# A good page

It cites {cite}`known2020paper`, links {term}`attention`, and costs \\$5. With width $d$,

$$
y = \\left\\{ \\begin{matrix} x \\\\ \\frac{1}{d} \\end{matrix} \\right. \\quad \\text{in } 5\\,\\%
$$ (eq:good)

![A drawing of a cat](cat.svg)

```{admonition} Before you run the next cell
:class: tip
Which is larger?
```"""
CODE = [
    'print(f"{1797:,} digits, loss {0.98765:.4f}, {58.25:.1f} %, step {3e-05:.1e}, change {-2.5}")',
    "from IPython.display import HTML\n\nHTML('<b>0.731</b> of <i>12</i>')",
    "from PIL import Image\n\nImage.linear_gradient('L').resize((40, 30))",
    "{'accuracy': 2 / 3}",
    "raise ValueError('a width of 12 has no 5 heads')",
]
EXERCISE = "```{exercise} ★ Halve it\n:label: ex-half\n\nWhat is half of $d$?\n```"
SOLUTION = "```{solution-start} ex-half\n:class: dropdown\n```\n\nDivide."
END = "```{solution-end}\n```"


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An executed notebook that is right in every respect."""
    cells = [new_markdown_cell(HEAD), *map(new_code_cell, CODE), new_markdown_cell(EXERCISE)]
    cells += [new_markdown_cell(SOLUTION), new_code_cell("print(6 / 2)"), new_markdown_cell(END)]
    cells[3].metadata["mystnb"] = {"image": {"alt": "A gradient from black to white"}}
    cells[5].metadata["tags"] = ["raises-exception"]
    cells[8].metadata["tags"] = ["hide-cell"]
    path = tmp_path_factory.mktemp("good") / "good.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    assert execute.main([str(path)]) == 0
    return path


@pytest.fixture
def changed(good: Path, tmp_path: Path) -> Callable[[Callable[[dict], object]], Path]:
    """Make a copy of the good notebook with one thing changed."""

    def write(change: Callable[[dict], object]) -> Path:
        notebook = json.loads(good.read_text())
        change(notebook)
        path = tmp_path / "changed.ipynb"
        path.write_text(json.dumps(notebook))
        return path

    return write
