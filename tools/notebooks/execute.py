"""Execute chapters in place: `python -m tools.notebooks.execute chapters/….ipynb [--check-time]`.

A chapter runs from its first cell to its last in a fresh kernel with the `ci` profile. Only
when every cell has run is the file replaced, in one step, with its outputs and its passport:
when, with what, on what, how long, how much memory.
"""

import argparse
import ast
import datetime
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode

from tools.notebooks.kernel import (
    CELL_TIMEOUT,
    CHAPTER_SECONDS,
    ENVIRONMENT,
    kernel_environment,
    this_python,
)
from tools.notebooks.normalize import normalize

PACKAGES = (
    "torch",
    "tensorflow",
    "keras",
    "numpy",
    "scipy",
    "scikit-learn",
    "matplotlib",
    "transformers",
    "tokenizers",
    "safetensors",
    "pandas",
)

# Runs in the kernel after the last cell. VmHWM counts this process alone; ru_maxrss, where the
# system has no VmHWM, may also remember the process that started it.
_PROBE = f"""
def _probe():
    import importlib.metadata as metadata
    import os
    import platform
    import resource
    import sys
    modules = {{"scikit-learn": "sklearn"}}
    packages = {{
        name: metadata.version(name)
        for name in {PACKAGES!r}
        if modules.get(name, name) in sys.modules
    }}
    try:
        lines = open("/proc/self/status").read().splitlines()
        kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if sys.platform == "darwin":
            kilobytes //= 1024
    return {{"python": platform.python_version(), "packages": packages,
             "cpu_seconds": round(sum(os.times()[:4]), 1),
             "peak_mb": round(kilobytes * 1024 / 1e6)}}
"""


def run(path: Path) -> NotebookNode:
    """Execute a notebook from top to bottom in a fresh kernel.

    Returns:
        The notebook, with outputs, normalised, its passport in `metadata.bigmodel.passport`.

    Raises:
        CellControlSignal: If a cell raised, or ran for more than two minutes.
        DeadKernelError: If the kernel died.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    normalize(notebook)
    client = NotebookClient(
        notebook,
        AsyncKernelManager(kernel_name="python3", kernel_spec_manager=this_python()),
        timeout=CELL_TIMEOUT,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    with kernel_environment():
        seconds, found = _run_cells(client)
    normalize(notebook)
    notebook.metadata.setdefault("bigmodel", NotebookNode())["passport"] = NotebookNode(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        python=found["python"],
        packages=found["packages"],
        cpu=_cpu_name(),
        cores=_cores(),
        threads=int(ENVIRONMENT["OMP_NUM_THREADS"]),
        profile=ENVIRONMENT["BIGMODEL_PROFILE"],
        seconds=round(seconds, 1),
        cpu_seconds=found["cpu_seconds"],
        peak_mb=found["peak_mb"],
    )
    return notebook


def _run_cells(client: NotebookClient) -> tuple[float, dict]:
    """Run every cell; return the seconds since the kernel was started, and what it tells."""
    with tempfile.TemporaryFile() as log:
        start, source = time.perf_counter(), ""
        try:
            with client.setup_kernel(cleanup_kc=True, stderr=log):
                for index, cell in enumerate(client.nb.cells):
                    source = cell.source
                    client.execute_cell(cell, index)
                return time.perf_counter() - start, _ask_kernel(client)
        except DeadKernelError as error:
            log.seek(0)
            words = log.read().decode(errors="replace")
            raise DeadKernelError(f"{error} in this cell:\n{source}\n{words}") from None


def _ask_kernel(client: NotebookClient) -> dict:
    """Learn what the kernel imported and how much memory it needed, leaving no output."""
    assert client.kc is not None
    asked = client.kc.execute(_PROBE, silent=True, user_expressions={"found": "_probe()"})
    reply = client.wait_for_reply(asked)
    assert reply is not None
    found = reply["content"]["user_expressions"]["found"]
    return ast.literal_eval(found["data"]["text/plain"])


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def replace(path: Path, notebook: NotebookNode) -> None:
    """Write the whole notebook or nothing."""
    nbformat.validate(notebook)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            nbformat.write(notebook, file)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Execute the notebooks named; return 1 if one failed or, when asked, took too long."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks.execute", description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="chapters/….ipynb")
    parser.add_argument(
        "--check-time",
        action="store_true",
        help=f"fail if a chapter takes more than {CHAPTER_SECONDS} s",
    )
    options = parser.parse_args(arguments)
    failures = [path for path in options.notebooks if not _execute(path, options.check_time)]
    return 1 if failures else 0


def _execute(path: Path, check_time: bool) -> bool:
    try:
        notebook = run(path)
    except (CellControlSignal, DeadKernelError) as error:
        print(f"{path}: not written\n{error}", file=sys.stderr)
        return False
    replace(path, notebook)
    passport = notebook.metadata.bigmodel.passport
    print(f"{path}: {passport.seconds} s, {passport.peak_mb} MB, {path.stat().st_size // 1000} kB")
    if check_time and min(passport.seconds, passport.cpu_seconds) > CHAPTER_SECONDS:
        print(f"{path}: slower than {CHAPTER_SECONDS} s", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
