"""Tests of tools/notebooks/markers.py."""

import pytest

from tools.notebooks.markers import escape_markers


@pytest.mark.parametrize(
    ("source", "tags", "expected"),
    [
        ("x = 1  # skip nothing", ["hide-input", "raises-exception"], []),
        ("# NBVAL_SKIP\nx", [], ["NBVAL_SKIP"]),
        ("#NBVAL_IGNORE_OUTPUT", [], ["NBVAL_IGNORE_OUTPUT"]),
        ("# PYTEST_VALIDATE_IGNORE_OUTPUT", [], ["PYTEST_VALIDATE_IGNORE_OUTPUT"]),
        ("x", ["nbval-skip", "nbval-ignore-output"], ["nbval-skip", "nbval-ignore-output"]),
        ("x", ["skip-execution"], ["skip-execution"]),
    ],
)
def test_marks_are_found(source, tags, expected):
    assert escape_markers({"source": source, "metadata": {"tags": tags}}) == expected
