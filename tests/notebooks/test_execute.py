"""Tests of tools/notebooks/execute.py."""

import json
import platform
from importlib.metadata import version

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebooks import execute


@pytest.fixture
def notebook(tmp_path):
    def write(*sources, tags=()):
        cells = [new_code_cell(source) for source in sources]
        cells[-1].metadata["tags"] = list(tags)
        path = tmp_path / "page.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


def read(path):
    return nbformat.read(path, as_version=4)


def test_cells_run_in_order_in_the_chapters_environment(notebook):
    path = notebook(
        "import os\nx = 1",
        "print(x, os.environ['BIGMODEL_PROFILE'], os.environ['OMP_NUM_THREADS'])",
        "from pathlib import Path\nPath('page.ipynb').exists()",
    )
    assert execute.main([str(path)]) == 0
    cells = read(path).cells

    assert [cell.execution_count for cell in cells] == [1, 2, 3]
    assert cells[1].outputs[0].text == "1 ci 1\n"
    assert cells[2].outputs[0].data["text/plain"] == "True"


def test_no_kernel_stays_behind(notebook):
    for sources in [("1",), ("1 / 0",)]:
        execute.main([str(notebook(*sources))])

    assert psutil.Process().children(recursive=True) == []


def test_the_passport_tells_the_run(notebook):
    path = notebook(
        "import numpy as np, time\nkept = np.ones(40_000_000)  # 320 MB", "time.sleep(1)"
    )
    execute.main([str(path)])
    passport = read(path).metadata.bigmodel.passport

    assert passport.packages == {"numpy": version("numpy")}
    assert passport.python == platform.python_version()
    assert passport.profile == "ci"
    assert passport.cpu
    assert passport.cores >= 1
    assert 1 < passport.seconds < 60
    assert 0 < passport.cpu_seconds < passport.seconds - 0.9  # it slept for a second
    assert 320 < passport.peak_mb < 600


def test_a_second_run_changes_the_passport_alone(notebook):
    path = notebook("print(0.5)", "from PIL import Image\nImage.new('L', (4, 3))")
    runs = []
    for _ in range(2):
        execute.main([str(path)])
        runs.append(json.loads(path.read_text()))
        del runs[-1]["metadata"]["bigmodel"]

    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import os\nos.abort()", "Kernel died"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_an_error_leaves_the_file_as_it_was(notebook, capfd, source, message):
    path = notebook("print(1)", source)
    before = path.read_bytes()

    assert execute.main([str(path)]) == 1
    shown = capfd.readouterr().err
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert "not written" in shown
    assert message in shown
    assert source in shown


def test_a_cell_that_never_ends_is_stopped(notebook, capfd, monkeypatch):
    monkeypatch.setattr(execute, "CELL_TIMEOUT", 1)
    path = notebook("while True: pass")

    assert execute.main([str(path)]) == 1
    assert "while True: pass" in capfd.readouterr().err


def test_a_failure_on_purpose_is_stored(notebook):
    path = notebook("1 / 0", tags=["raises-exception"])

    assert execute.main([str(path)]) == 0
    assert read(path).cells[0].outputs[0].ename == "ZeroDivisionError"


def test_time_is_checked_when_asked(notebook, capfd, monkeypatch):
    monkeypatch.setattr(execute, "CHAPTER_SECONDS", 0)
    path = notebook("print(1)")

    assert execute.main([str(path)]) == 0
    assert execute.main(["--check-time", str(path)]) == 1
    assert "slower than 0 s" in capfd.readouterr().err


def test_a_write_that_fails_leaves_the_old_file(notebook, monkeypatch):
    path = notebook("print(1)")
    before = path.read_bytes()
    monkeypatch.setattr(execute.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))

    with pytest.raises(OSError, match="disk full"):
        execute.replace(path, read(path))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
