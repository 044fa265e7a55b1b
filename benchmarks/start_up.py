"""How long imports take, in processes of their own, beyond an empty Python."""

import subprocess
import sys
from statistics import median

from benchmarks.race import Row

MODULES = {
    "bigmodel_lib": 50,  # milliseconds that it may take
    "bigmodel_lib.models.gpt": None,
    "torch": None,
    "transformers.models.gpt2.modeling_gpt2": None,
}


def measure(turns: int) -> list[Row]:
    """Milliseconds of processor time per import; the ratio is to the allowed time."""
    seconds: dict[str, list[float]] = {name: [] for name in MODULES}
    for _ in range(min(turns, 5)):
        for name in MODULES:
            seconds[name].append(_import_seconds(name))
    return [
        Row("import", name, 1e3 * median(seconds[name]), "ms",
            limit and limit / (1e3 * median(seconds[name])), f"{limit} ms" if limit else "",
            1.0 if limit else None)
        for name, limit in MODULES.items()
    ]  # fmt: skip


def _import_seconds(module: str) -> float:
    code = f"import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return float(done.stdout)
