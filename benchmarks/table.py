"""The table of results, and what it was measured on."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.race import Row

PACKAGES = (
    "torch",
    "transformers",
    "litgpt",
    "x-transformers",
    "tokenizers",
    "tensorflow",
    "keras",
)
HEADER = ("work", "candidate", "value", "unit", "ratio", "to", "target", "", "note")


def render(rows: Sequence[Row]) -> str:
    """The rows as a markdown table."""
    lines = [HEADER, ("---",) * len(HEADER), *map(_cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def conditions() -> str:
    """Date, versions and hardware, in one line."""
    versions = [f"{name} {found}" for name in PACKAGES if (found := version(name))]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; Python {platform.python_version()}, {', '.join(versions)}; "
        f"{hardware()}; {torch.get_num_threads()} thread(s), load {os.getloadavg()[0]:.1f}"
    )


def version(package: str) -> str | None:
    """Version of an installed package; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def hardware() -> str:
    """The processor in generic words: number of cores, and what they can multiply."""
    found = re.search(r"^flags\s*:(.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    known = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8")
    able = [flag for flag in known if flag in flags]
    return (
        f"{os.cpu_count()} {platform.machine()} cores ({', '.join(able) or 'no known extensions'})"
    )


def _cells(row: Row) -> tuple[str, ...]:
    value = (
        "—"
        if row.value is None
        else f"{row.value:,.4g}"
        if row.value < 1e3
        else f"{row.value:,.0f}"
    )
    ratio = "—" if row.ratio is None else f"{row.ratio:.2f}"
    target = "" if row.target is None else f"≥ {row.target:g}"
    return (
        row.work, row.name, value, row.unit, ratio, row.reference, target, row.verdict, row.note,
    )  # fmt: skip


def _read(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""
