"""Run tests on a copy of the package, each time in a process of its own.

The processes are forks of one that has imported PyTorch and the tests' other large packages, but
nothing of ours: a second or so for each fault in place of ten.
"""

import importlib
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tools.mutants.fault import Fault

ROOT = Path(__file__).parents[2]
COPIED = ("bigmodel_lib", "tests", "pyproject.toml")
HEAVY = ("torch", "torch._dynamo", "numpy", "transformers")
MOST_SECONDS = 120
PASSED, FAILED = 0, 1  # pytest's exit codes


class Result(NamedTuple):
    """What became of a test run.

    Attributes:
        code: pytest's exit code, or minus the signal that ended it.
        failed: The first test that failed, or "".
        seconds: How long it took.
        output: What pytest said.
    """

    code: int
    failed: str
    seconds: float
    output: str

    @property
    def caught(self) -> bool:
        """Whether the tests noticed: one failed, or ran for ever."""
        return self.code in (FAILED, -signal.SIGALRM)


@contextmanager
def copied_package() -> Iterator[Path]:
    """Lend a copy of the library and its tests, so that nothing is planted in the real ones."""
    for name in HEAVY:
        importlib.import_module(name)
    with TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(ROOT / name, copy / name)
        yield copy


def does_not_fit(fault: Fault, copy: Path) -> str:
    """Why a fault cannot be planted any more; empty if it can."""
    try:
        fault.planted((copy / "bigmodel_lib" / fault.file).read_text())
    except (ValueError, FileNotFoundError) as error:
        return str(error)
    return ""


def run_fault(fault: Fault, copy: Path) -> Result:
    """Plant a fault, run its tests, and take the fault out again."""
    path = copy / "bigmodel_lib" / fault.file
    source = path.read_text()
    path.write_text(fault.planted(source))
    try:
        return run_tests(fault.tests, copy)
    finally:
        path.write_text(source)


def run_tests(tests: Sequence[str], copy: Path) -> Result:
    """Run tests up to the first failure."""
    log, first = copy / "output.txt", copy / "failed.txt"
    first.write_text("")
    start = time.perf_counter()
    sys.stdout.flush()  # or the child has the same lines to write, now and then into its log
    child = os.fork()
    if child == 0:
        _become_pytest(tests, copy, log, first)
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    return Result(code, first.read_text(), seconds, log.read_text())


def _become_pytest(tests: Sequence[str], copy: Path, log: Path, first: Path) -> None:
    """Go on as pytest in the copy; never return."""
    code = 70
    try:
        signal.alarm(MOST_SECONDS)
        os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 1)
        os.dup2(1, 2)
        os.chdir(copy)
        sys.dont_write_bytecode = True  # a source restored within a second looks unchanged
        sys.path = [str(copy), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)]
        os.environ["PYTHONPATH"] = str(copy)  # for processes that a test starts
        import pytest

        class FirstFailure:
            def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
                if report.failed and not first.read_text():
                    first.write_text(report.nodeid)

        heavy = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
        options = ["-x", "-q", "-p", "no:cacheprovider", "-W", heavy]
        paths = [f"tests/{test}" for test in tests]
        code = int(pytest.main([*options, *paths], plugins=[FirstFailure()]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
