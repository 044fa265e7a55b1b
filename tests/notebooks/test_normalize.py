"""Tests of tools/notebooks/normalize.py."""

import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.notebooks.normalize import ROOT, clean_outputs, normalize


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_the_file_depends_on_the_content_alone():
    """Two tools write the same cells with other identifiers and metadata: one result."""
    ours = new_notebook(cells=[new_markdown_cell("a"), new_code_cell("b"), new_code_cell("b")])
    theirs = new_notebook(
        cells=[
            new_markdown_cell("a", id="3f2b8c1e-7a55-4be0-9c1f-0a1b2c3d4e5f"),
            new_code_cell("b", metadata={"execution": {"iopub.status.idle": "2020"}}),
            new_code_cell("b", metadata={"scrolled": True, "collapsed": False}),
        ],
        metadata={
            "widgets": {"state": {}},
            "jupytext": {"main_language": "python"},
            "kernelspec": {"name": "mine", "display_name": "Mine", "language": "python"},
            "language_info": {"name": "python", "version": "3.99"},
        },
    )
    normalize(ours)
    normalize(theirs)

    assert ours == theirs
    assert len({cell.id for cell in ours.cells}) == 3
    nbformat.validate(ours)


def test_what_somebody_chose_is_kept():
    notebook = new_notebook(
        cells=[new_code_cell("x", id="loss-plot", metadata={"tags": ["hide-input"]})],
        metadata={"bigmodel": {"passport": {"seconds": 1}}},
    )
    normalize(notebook)

    assert notebook.cells[0].id == "loss-plot"
    assert notebook.cells[0].metadata.tags == ["hide-input"]
    assert notebook.metadata.bigmodel.passport.seconds == 1


def test_a_chosen_identifier_that_was_copied_stays_with_the_first():
    notebook = new_notebook(cells=[new_code_cell("a", id="plot"), new_code_cell("b")])
    notebook.cells[1].id = "plot"
    normalize(notebook)
    first, second = notebook.cells

    assert first.id == "plot"
    assert second.id != "plot"


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([stream("a"), stream("b\n"), stream("c\n")], [stream("ab\nc\n")]),
        (
            [stream("a"), stream("w", "stderr"), stream("b")],
            [stream("ab"), stream("w", "stderr")],
        ),
        ([stream("step 1\rstep 2\n")], [stream("step 2\n")]),
        ([stream("ab\x08c")], [stream("ac")]),
        ([stream(" 50%|█████     | 5/10 [00:01<00:01,  4.5it/s]", "stderr")], []),
        ([stream("7it [00:00, 81.3it/s]\n", "stderr")], []),
        ([stream("")], []),
        ([new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})], []),
    ],
)
def test_streams_are_as_a_terminal_shows_them(outputs, expected):
    assert clean_outputs(outputs) == expected


def test_a_figure_parts_what_is_printed_before_and_after():
    figure = new_output("display_data", {"text/plain": "<Figure>"})
    outputs = [stream("a"), figure, stream("b")]

    assert clean_outputs(outputs) == outputs


def test_the_machine_s_paths_are_hidden():
    text = (
        f"/tmp/ipykernel_12/34.py:1: UserWarning\n{sys.prefix}/lib/x.py\n{ROOT}/bigmodel_lib/y.py"
    )
    error = new_output("error", ename="E", evalue="v", traceback=text.splitlines())

    assert clean_outputs([stream(text, "stderr")])[0].text == (
        "<cell>:1: UserWarning\nlib/x.py\nbigmodel_lib/y.py"
    )
    assert clean_outputs([error])[0].traceback[1:] == ["lib/x.py", "bigmodel_lib/y.py"]
