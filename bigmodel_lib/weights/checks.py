"""What is asked of a weight file before a model believes it.

Each function returns nothing, or raises an error that names the file or the tensor, what was
expected and what was found. Format: https://huggingface.co/docs/safetensors.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_LONGEST_HEADER = 100_000_000  # bytes; the limit of the format


def check_file(path: Path) -> None:
    """Refuse a file that is not one whole safetensors file.

    Raises:
        FileNotFoundError: If there is no file at `path`.
        ValueError: If it is a pickle, holds something else, or is cut short or too long.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected a safetensors file at {path}, found none")
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(_PICKLE_STARTS):
            raise ValueError(
                f"expected a safetensors file, but {path} is a pickle; it was not opened, because "
                "unpickling runs whatever code the file holds"
            )
        n_header = int.from_bytes(start, "little")
        if len(start) < 8 or n_header > _LONGEST_HEADER:
            raise ValueError(
                f"expected a safetensors file, but {path} ({size} bytes) does not begin like one: "
                f"{start!r}"
            )
        header = file.read(n_header)
    n_expected = 8 + n_header + _n_data_bytes(header, n_header, path)
    if size != n_expected:
        raise ValueError(
            f"{path} is {'cut short' if size < n_expected else 'too long'}: "
            f"expected {n_expected} bytes, found {size}"
        )


def _n_data_bytes(header: bytes, n_header: int, path: Path) -> int:
    """Where the last tensor of a safetensors header ends, counted from the end of the header."""
    if len(header) < n_header:
        raise ValueError(
            f"{path} is cut short: expected a header of {n_header} bytes, found {len(header)}"
        )
    try:
        entries = json.loads(header)
        entries.pop("__metadata__", None)
        return max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    except (ValueError, AttributeError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"expected a safetensors header in {path}, found {error}") from error


def check_digest(path: Path, expected: str) -> None:
    """Refuse a file whose bytes are not the expected ones.

    Args:
        path: File to read.
        expected: SHA-256 as 64 hexadecimal digits.

    Raises:
        ValueError: With both digests.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ValueError(f"{path} was altered: expected SHA-256 {expected}, found {found}")


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the names, types, shapes and bytes of tensors, whatever their order."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        dtype = str(tensor.dtype).removeprefix("torch.")
        total.update(f"{name} {dtype} {tuple(tensor.shape)}\n".encode())
        total.update(as_bytes(tensor))
    return total.hexdigest()


def as_bytes(tensor: Tensor) -> memoryview:
    """The bytes of a tensor in row order, without a copy if it is contiguous on the CPU."""
    return tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data


def check_values(name: str, tensor: Tensor, where: str) -> None:
    """Refuse a tensor that holds NaN or infinity, or that has no values.

    Args:
        name: Name of the tensor, for the message.
        tensor: Any tensor.
        where: File that the tensor comes from or goes to, for the message.

    Raises:
        ValueError: With the name and the number of bad values.
    """
    if tensor.is_meta:
        raise ValueError(f"{where}: {name} is on the meta device and has no values")
    # One sum finds out whether to look closer: NaN and infinity survive it.
    if tensor.is_floating_point() and not tensor.sum(dtype=torch.float32).isfinite():
        n_nan, n_inf = int(tensor.isnan().sum()), int(tensor.isinf().sum())
        if n_nan or n_inf:
            raise ValueError(
                f"{where}: {name} holds {n_nan} NaN and {n_inf} infinite of {tensor.numel()} values"
            )


def check_names(expected: Iterable[str], found: Iterable[str], where: str) -> None:
    """Refuse names that are missing or not expected.

    Raises:
        ValueError: With the first names of each kind and how many there are.
    """
    expected, found = dict.fromkeys(expected), dict.fromkeys(found)  # sets that keep the order
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    problems = [
        f"{len(names)} of {len(whole)} {kind}: {', '.join(names[:5])}{' …' * (len(names) > 5)}"
        for kind, names, whole in (
            ("expected tensors are missing", missing, expected),
            ("tensors found are not expected", unexpected, found),
        )
        if names
    ]
    if problems:
        raise ValueError(f"{where}: {'; '.join(problems)}")


def check_shape(name: str, expected: Tensor, found: Tensor, where: str) -> None:
    """Refuse a tensor whose shape or kind of number differs from the model's.

    Raises:
        ValueError: With the name and both shapes or both types.
    """
    if expected.shape != found.shape:
        transposed = expected.ndim == 2 and expected.shape == found.shape[::-1]
        raise ValueError(
            f"{where}: {name} must have shape {tuple(expected.shape)}, "
            f"found {tuple(found.shape)}{', its transpose' if transposed else ''}"
        )
    if expected.is_floating_point() != found.is_floating_point():
        raise ValueError(f"{where}: {name} must be of type {expected.dtype}, found {found.dtype}")


def check_settings(
    description: Mapping[str, Any], supported: Mapping[str, Container[Any]], where: str
) -> None:
    """Refuse a config.json that asks for something which our model does not do.

    Args:
        description: Contents of the file.
        supported: Values that are understood, by setting; a setting may be absent.
        where: The file, for the message.

    Raises:
        ValueError: With the setting, its value and the values that are understood.
    """
    for name, values in supported.items():
        if name in description and description[name] not in values:
            raise ValueError(
                f"{where}: {name} is {description[name]!r}, but this model knows only {values}"
            )
