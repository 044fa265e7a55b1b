"""nbval, made strict for a book: `pytest -p tools.notebooks.nbval_plugin --nbval chapters`.

nbval runs the cells; this plugin decides what counts as the same output (`compare.py`), refuses
every way of leaving a cell out, starts each kernel in the environment that the outputs were
stored from (`kernel.py`), and ends with a ledger (`ledger.py`) that can fail the run.
"""

import tempfile
import time
from collections.abc import Generator
from queue import Empty
from typing import Any

import psutil
import pytest
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel, start_new_kernel
from nbval.plugin import IPyNbCell, IPyNbFile

from tools.notebooks import ledger
from tools.notebooks.compare import Tolerance, compared_outputs, outputs_difference
from tools.notebooks.kernel import CELL_TIMEOUT, kernel_environment
from tools.notebooks.markers import escape_markers
from tools.notebooks.normalize import clean_outputs

_RECORD = "bigmodel_cell"
_NBVAL_TIMEOUT = 2000  # nbval's default, in seconds


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one number that may differ between machines."""
    parser.getgroup("nbval").addoption(
        "--time-allowance",
        type=float,
        default=1.5,
        help="factor on the chapters' time limits, for a slower machine (default 1.5)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse the lax modes; keep the ledger where the workers' reports meet."""
    option = config.option
    if option.nbval_lax or option.nbval_sanitize_with or option.sanitize_with:
        raise pytest.UsageError("chapters are compared whole: no lax mode, no sanitising")
    if not option.nbval:
        return
    if option.nbval_cell_timeout == _NBVAL_TIMEOUT:
        option.nbval_cell_timeout = CELL_TIMEOUT
    if hasattr(config, "workerinput"):
        return
    if getattr(option, "numprocesses", None) and option.dist != "loadfile":
        raise pytest.UsageError("a chapter's cells need one kernel: add --dist loadfile")
    config.pluginmanager.register(LedgerKeeper(option.time_allowance))


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent: pytest.Collector) -> Generator[None, list, list]:
    """Replace nbval's collector by the strict one."""
    collectors = yield
    return [
        ChapterFile.from_parent(parent, path=collector.path)
        if type(collector) is IPyNbFile
        else collector
        for collector in collectors
    ]


class ChapterKernel(RunningKernel):
    """A kernel of the running interpreter, in the chapters' environment."""

    def __init__(self, folder: str, startup_timeout: int) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
        with kernel_environment():
            self.km, self.kc = start_new_kernel(
                startup_timeout, CURRENT_ENV_KERNEL_NAME, stderr=self.log, cwd=folder
            )
        self._ensure_iopub_up()

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell as a front end does: IPython honours a closing `;` only with history."""
        return self.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait as nbval does, but not for a process that has ended."""
        end = time.monotonic() + (timeout or float("inf"))
        while True:
            try:
                return super().await_reply(msg_id, timeout=1)
            except Empty:
                if not self.is_alive():
                    raise RuntimeError("its process ended") from None
                if time.monotonic() >= end:
                    raise

    def cpu_seconds(self) -> float:
        """What the kernel and the processes it started have computed; 0 once it has ended."""
        pid = getattr(self.km.provisioner, "pid", None) if hasattr(self, "km") else None
        try:
            return sum(psutil.Process(pid).cpu_times()[:4]) if pid else 0.0
        except psutil.NoSuchProcess:
            return 0.0

    def last_words(self) -> str:
        """What the kernel's process wrote to its standard error."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def close(self) -> None:
        """End the process, unless it has ended, and close what belongs to it."""
        if hasattr(self, "km"):
            self.stop()
        self.log.close()


class ChapterFile(IPyNbFile):
    """A notebook all of whose code cells are run and compared."""

    def collect(self) -> Generator[IPyNbCell, None, None]:
        """Yield the code cells in order."""
        items = [
            ChapterCell.from_parent(
                self, name=item.name, cell_num=item.cell_num, cell=item.cell, options=item.options
            )
            for item in super().collect()
        ]
        if not items:
            raise self.CollectError(f"{self.path.name} has no code cell")
        self.n_cells = len(items)
        yield from items

    def setup(self) -> None:
        """Start the kernel, and the clock."""
        self.started = time.perf_counter()
        timeout = self.config.option.nbval_kernel_startup_timeout
        self.kernel = ChapterKernel(str(self.path.parent), timeout)

    def teardown(self) -> None:
        """Stop the kernel even if it has died."""
        if self.kernel is not None:
            self.kernel.close()


class ChapterCell(IPyNbCell):
    """A code cell that must print what it printed."""

    parent: ChapterFile

    def runtest(self) -> None:
        """Run the cell, compare, and write one line of the ledger."""
        record = {
            "chapter": self.nodeid.partition("::")[0],
            "cells": self.parent.n_cells,
            "compared": False,
            "own": False,
        }
        try:
            self._check_before()
            self.tolerance = Tolerance.of(self.cell)
            self._run()
            record["compared"] = bool(compared_outputs(self.cell.outputs))
            record["own"] = self.tolerance != Tolerance()
        finally:
            record["seconds"] = time.perf_counter() - self.parent.started
            record["cpu_seconds"] = self.parent.kernel.cpu_seconds()
            self.user_properties.append((_RECORD, record))

    def _run(self) -> None:
        try:
            super().runtest()
        except RuntimeError as error:
            if self.parent.kernel.is_alive():
                raise
            words = self.parent.kernel.last_words()
            self.raise_cell_error(f"the kernel died: {error}", words)

    def _check_before(self) -> None:
        if markers := escape_markers(self.cell):
            self.raise_cell_error(f"{', '.join(markers)}: no cell of this book is left out")
        if self.cell.execution_count is None:
            self.raise_cell_error("the cell was stored without having been executed")
        try:
            Tolerance.of(self.cell)
        except (TypeError, ValueError) as error:
            self.raise_cell_error(str(error))

    def compare_outputs(
        self,
        test: list[NotebookNode],
        ref: list[NotebookNode],
        skip_compare: object = None,
    ) -> bool:
        """Compare by the book's rules instead of nbval's; nbval calls this."""
        difference = outputs_difference(clean_outputs(ref), clean_outputs(test), self.tolerance)
        self.comparison_traceback = [difference or ""]
        return difference is None


class LedgerKeeper:
    """Collects the cells' records, from this process or from xdist's workers."""

    def __init__(self, allowance: float) -> None:
        self.allowance = allowance
        self.chapters: dict[str, ledger.Chapter] = {}
        self.problems: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a cell when it has run."""
        for name, value in report.user_properties if report.when == "call" else ():
            if name == _RECORD:
                record: Any = value
                chapter = ledger.Chapter(record.pop("cells"))
                self.chapters.setdefault(record.pop("chapter"), chapter).add(**record)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that proved too little."""
        self.problems = ledger.problems(self.chapters, self.allowance)
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the ledger."""
        if not self.chapters:
            return
        terminalreporter.section("ledger of the chapters")
        for line in ledger.table(self.chapters):
            terminalreporter.line(line)
        for problem in self.problems:
            terminalreporter.line(f"FAILED {problem}", red=True)
