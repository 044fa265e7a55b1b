"""Tests of tools/mutants: the planted faults fit the code as it is, and a survivor is reported."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tools.mutants.__main__ import FAULTS
from tools.mutants.fault import fault

ROOT = Path(__file__).parents[1]


@cache
def functions(path):
    """The names of the functions of a file of tests."""
    nodes = ast.walk(ast.parse((ROOT / "tests" / path).read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("planted", FAULTS, ids=lambda f: f.name)
def test_every_fault_fits_the_code_as_it_is(planted):
    source = (ROOT / "bigmodel_lib" / planted.file).read_text()
    spoilt = planted.planted(source)

    assert spoilt != source
    if planted.file.endswith(".py"):
        ast.parse(spoilt)


@pytest.mark.parametrize("planted", FAULTS, ids=lambda f: f.name)
def test_every_fault_has_tests_that_should_notice(planted):
    assert planted.tests
    for test in planted.tests:
        path, _, name = test.partition("::")
        assert not name or name in functions(path)


def test_there_are_faults_all_over_the_library():
    assert len({f.name for f in FAULTS}) == len(FAULTS) >= 30
    assert {f.file.split("/")[0] for f in FAULTS} == {
        *("layers", "models", "training", "generation", "weights", "data", "accounting"),
        *("compression", "retrieval", "evaluation"),
    }


@pytest.mark.parametrize(("old", "found"), [("p", "many"), ("no such line", "0")])
def test_a_fault_that_no_longer_fits_is_named(old, found):
    source = (ROOT / "bigmodel_lib/layers/dropout.py").read_text()
    count = source.count(old) if found == "many" else found

    with pytest.raises(ValueError, match=f"a fault: expected once in layers/x.py, found {count} t"):
        fault("a fault", "layers/x.py", old, "q").planted(source)


CANARIES = """
import sys
from tools.mutants.__main__ import main
from tools.mutants.fault import fault

test = "layers/test_dropout.py::test_survivors_are_scaled_by_hand"
loud = fault("loud", "layers/dropout.py", "x * keep / (1 - p)", "x * keep", test)
silent = fault("silent", "layers/dropout.py", "x * keep / (1 - p)", "keep / (1 - p) * x", test)
rotten = fault("rotten", "layers/dropout.py", "x * kept", "x", test)
broken = fault("broken", "layers/dropout.py", "x * keep / (1 - p)", "x *", test)
for faults in ((loud,), (loud, silent), (loud, rotten), (broken,)):
    print("exit", main([], faults))
"""


@pytest.mark.slow
def test_only_a_fault_that_a_test_notices_counts_as_caught():
    """Not one that changes nothing, that no longer fits, or with which the tests cannot start."""
    done = subprocess.run(
        [sys.executable, "-c", CANARIES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    caught, silent, rotten, broken = done.stdout.split("exit ")[:4]

    assert "1 of 1 faults caught: 100%" in caught
    assert silent.startswith("0\n")
    assert "NOTHING" in silent
    assert "1 of 2 faults caught: 50%" in silent
    assert rotten.startswith("1\n")
    assert "rotten: expected once in layers/dropout.py, found 0 times" in rotten
    assert broken.startswith("1\n")
    assert "0 of 1 faults caught" in broken
    assert done.stdout.endswith("exit 1\n")
