"""Canaries: notebooks whose stored output is wrong, on each of which the validation must fail.

The real command runs, on two at a time, over one right notebook and many that differ from it in
one thing. The test of a canary asks that its cell failed, for that reason, and no other cell did.
"""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tools.notebooks.normalize import ROOT

NUMBERS, HTML, FIGURE, RESULT, RAISES, SOLVED = range(6)  # the code cells of the good notebook

pytestmark = pytest.mark.slow


def validate(*arguments):
    """Run the command that proves the book; return the finished process."""
    command = [sys.executable, "-m", "pytest", "-p", "tools.notebooks.nbval_plugin", "--nbval"]
    return subprocess.run(
        [*command, "--color=no", "-p", "no:cacheprovider", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def code(notebook, cell):
    return [c for c in notebook["cells"] if c["cell_type"] == "code"][cell]


def stored(cell, old, new):
    """Replace a string in a cell's stored output; it must be there."""

    def change(notebook):
        outputs = json.dumps(code(notebook, cell)["outputs"], ensure_ascii=False)
        assert old in outputs
        code(notebook, cell)["outputs"] = json.loads(outputs.replace(old, new))

    return change


def put(cell, **values):
    return lambda notebook: code(notebook, cell).update(values)


def source(cell, text):
    """Change what a cell does and leave what it is stored to have shown."""
    return put(cell, source=text)


def declare(cell, **tolerance):
    return lambda notebook: code(notebook, cell)["metadata"].update(bigmodel=tolerance)


def both(*changes):
    return lambda notebook: [change(notebook) for change in changes]


def picture(width, height):
    return f"from PIL import Image\n\nImage.linear_gradient('L').resize(({width}, {height}))"


def no_image(notebook):
    del code(notebook, FIGURE)["outputs"][0]["data"]["image/png"]


RIGHT = {
    "as_it_is": lambda notebook: None,
    "within_the_tolerance": stored(NUMBERS, "0.9877", "0.9860"),
    "within_its_own_tolerance": both(
        stored(NUMBERS, "0.9877", "0.9000"), declare(NUMBERS, rtol=0.1)
    ),
    "standard_error_is_not_compared": source(
        RESULT, "import sys\n\nprint('x', file=sys.stderr)\n{'accuracy': 2 / 3}"
    ),
}
WRONG = {
    "number_beyond_the_tolerance": (
        NUMBERS, stored(NUMBERS, "0.9877", "0.9577"), "stored 0.9577, now 0.9877",
    ),
    "number_beyond_its_own_tolerance": (
        NUMBERS,
        both(stored(NUMBERS, "0.9877", "0.8000"), declare(NUMBERS, rtol=0.1)),
        "stored 0.8000, now 0.9877; allowed: rtol 0.1",
    ),
    "percentage": (NUMBERS, stored(NUMBERS, "58.2 %", "59.2 %"), "stored 59.2, now 58.2"),
    "exponent": (NUMBERS, stored(NUMBERS, "3.0e-05", "3.0e-04"), "stored 3.0e-04, now 3.0e-05"),
    "sign": (NUMBERS, stored(NUMBERS, "-2.5", "2.5"), "stored 2.5, now -2.5"),
    "integer_off_by_one": (NUMBERS, stored(NUMBERS, "1,797", "1,798"), "stored 1,798, now 1,797"),
    "text_changed": (NUMBERS, stored(NUMBERS, "digits", "images"), "stored '1,797 images"),
    "html_changed": (HTML, stored(HTML, "<b>", "<u>"), "text/html: line 1"),
    "html_number": (HTML, stored(HTML, "0.731", "0.831"), "stored 0.831, now 0.731"),
    "missing_image": (FIGURE, no_image, r"now: execute_result \(.*image/png.*\)"),
    "image_not_drawn": (FIGURE, source(FIGURE, "'<PIL.Image.Image image>'"), "image/png"),
    "image_size": (FIGURE, source(FIGURE, picture(40, 31)), "stored size 40×30, now 40×31"),
    "missing_output": (RESULT, put(RESULT, outputs=[]), "stored outputs: none; now"),
    "prints_nothing_now": (RESULT, source(RESULT, "pass"), "now: none"),
    "prints_more_now": (RESULT, source(RESULT, "print(1)\n{'accuracy': 2 / 3}"), "now: stdout;"),
    "never_executed": (
        RESULT, put(RESULT, execution_count=None, outputs=[]), "stored without having been exec",
    ),
    "error_instead_of_output": (RESULT, source(RESULT, "1 / 0"), "ZeroDivisionError"),
    "other_error": (RAISES, source(RAISES, "raise KeyError('a')"), "stored outputs: ValueError"),
    "no_error": (RAISES, source(RAISES, "pass"), "stored outputs: ValueError; now: none"),
    "error_text": (RAISES, stored(RAISES, "no 5 heads", "no 7 heads"), "stored 7, now 5"),
    "endless": (SOLVED, source(SOLVED, "while True: pass"), "Timeout of 15 seconds exceeded"),
    "kernel_dies": (SOLVED, source(SOLVED, "import os\nos._exit(3)"), "the kernel died"),
    "skip_comment": (
        RESULT, source(RESULT, "# NBVAL_SKIP\n1"), "NBVAL_SKIP: no cell of this book is left out",
    ),
    "ignore_tag": (
        RESULT,
        lambda nb: code(nb, RESULT)["metadata"].update(tags=["nbval-ignore-output"]),
        "nbval-ignore-output: no cell of this book is left out",
    ),
    "boundless_tolerance": (RESULT, declare(RESULT, rtol=1e9), "rtol must be at least 0 and below"),
    "misspelt_tolerance": (RESULT, declare(RESULT, rtoll=0.1), r"knows \['atol'"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(good, tmp_path_factory):
    """One notebook for each case."""
    folder = tmp_path_factory.mktemp("canaries")
    changes = RIGHT | {name: change for name, (_, change, _) in WRONG.items()}
    for name, change in changes.items():
        notebook = json.loads(good.read_text())
        before = json.dumps(notebook)
        change(notebook)
        assert name == "as_it_is" or json.dumps(notebook) != before
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    return folder


@pytest.fixture(scope="module")
def failures(folder):
    """Every notebook's cells with the text of their failure, None where they passed."""
    report = folder / "report.xml"
    run = validate(
        folder, "-n2", "--dist=loadfile", "--nbval-cell-timeout=15", f"--junitxml={report}"
    )
    assert run.returncode == 1, run.stdout + run.stderr
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        notebook = re.search(r"(\w+)(?:\.ipynb)?$", case.get("classname"))[1]
        failure = case.find("failure")
        text = None if failure is None else failure.get("message", "") + (failure.text or "")
        found.setdefault(notebook, {})[int(case.get("name").split()[-1])] = text
    return found


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_notebook_passes(failures, name):
    assert failures[name] == dict.fromkeys(range(6))


@pytest.mark.parametrize("name", WRONG)
def test_the_wrong_notebook_fails_where_it_is_wrong(failures, name):
    cell, _, message = WRONG[name]
    text = failures[name].pop(cell)

    assert text is not None
    assert re.search(message, text), text
    assert not any(failures[name].values())


def test_one_right_notebook_ends_well_with_its_ledger(good):
    run = validate(good)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "cells  executed  compared  share  own tolerance  seconds  CPU seconds" in run.stdout
    assert re.search(r"good\.ipynb +6 +6 +6 +100% +0 +\d+\.\d +\d+\.\d\n", run.stdout)


def test_one_wrong_notebook_fails_the_run(folder):
    run = validate(folder / "number_beyond_the_tolerance.ipynb")

    assert run.returncode == 1
    assert "1 failed, 5 passed" in run.stdout


def test_silent_cells_fail_the_run_though_each_passes(good, tmp_path):
    notebook = json.loads(good.read_text())
    for cell in (NUMBERS, RESULT):
        code(notebook, cell).update(source="pass", outputs=[])
    (tmp_path / "silent.ipynb").write_text(json.dumps(notebook))
    run = validate(tmp_path)

    assert run.returncode == 1
    assert "6 passed" in run.stdout
    assert "4 of 6 code cells are compared, 67%; at least 80% must be" in run.stdout


def test_a_slow_chapter_and_an_unfinished_one_fail_the_run(good):
    without_the_last = [f"--rootdir={good.parent}", f"--deselect={good.name}::Cell 5"]
    run = validate(good, "--time-allowance=0.001", *without_the_last)

    assert run.returncode == 1
    assert "only 5 of 6 cells were run" in run.stdout
    assert "the limit is 60 s × 0.001 allowed for a slower machine" in run.stdout


def test_a_notebook_without_code_fails_the_run(tmp_path):
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "empty.ipynb").write_text(json.dumps(empty))
    run = validate(tmp_path)

    assert run.returncode != 0
    assert "empty.ipynb has no code cell" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nbval-lax"], "no lax mode, no sanitising"),
        (["-n2", "--dist=load"], "add --dist loadfile"),
    ],
)
def test_lax_ways_to_run_are_refused(good, arguments, message):
    run = validate(good, *arguments)

    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in run.stderr


def test_chapters_are_compared_strictly_even_without_naming_the_plugin():
    """`conftest.py` of the project names it; and it brings no framework into the process."""
    code = (
        "import sys, pytest;"
        "print(pytest.main(['--nbval', '--collect-only', 'chapters/01_background']));"
        "print({'torch', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)

    assert "<ChapterCell Cell 0>" in done.stdout, done.stdout + done.stderr
    assert "IPyNb" not in done.stdout
    assert done.stdout.endswith("0\nset()\n")
