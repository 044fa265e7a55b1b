"""Weights on disk: one safetensors file, written whole or not at all, and read with questions.

Format:  https://huggingface.co/docs/safetensors. Nothing here unpickles.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from bigmodel_lib.weights.checks import (
    as_bytes,
    check_file,
    check_names,
    check_shape,
    check_values,
    digest,
)

Model = TypeVar("Model", bound=nn.Module)

_TYPES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
}


def save(model: nn.Module, path: str | Path) -> None:
    """Write every parameter and persistent buffer of a model to one file.

    A weight that two layers share is stored once, under the first of its names. Until the new
    file is complete on the disk, an older one at `path` stays as it is.

    Args:
        model: Any module that has values.
        path: Where to write; the folder must exist.

    Raises:
        ValueError: If a tensor holds NaN or infinity, or has no values; it is named.
    """
    ties = tied_names(model)
    write_tensors({n: t for n, t in model.state_dict().items() if n not in ties}, path)


def load(model: Model, path: str | Path) -> Model:
    """Fill a model with the weights of a file, all of them or none.

    Args:
        model: The model to fill. Parameters keep their device and type; those on the meta
            device are created on the CPU with the type they have in the file.
        path: A file that `save` wrote, here or in the TensorFlow twin.

    Returns:
        The same model.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is a pickle, cut short or altered, or if its tensors are not
            those of the model by name, shape, type or number; the tensor is named.
    """
    fill(model, read_tensors(path), where=str(path))
    return model


def fill(model: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Give every parameter and persistent buffer the tensor of its name.

    Args:
        model: The model to fill, as in `load`.
        tensors: One tensor for each name in the model's state; tied names once or equal.
        where: Where the tensors come from, for the message of an error.

    Raises:
        ValueError: If names, shapes, types or numbers do not fit. The model is then unchanged.
    """
    ties, state = tied_names(model), model.state_dict()
    tensors = _without_ties(tensors, ties, where)
    check_names((name for name in state if name not in ties), tensors, where)
    for name, tensor in tensors.items():
        check_shape(name, state[name], tensor, where)
        check_values(name, tensor, where)

    if not any(tensor.is_meta for tensor in state.values()):
        model.load_state_dict(tensors, strict=False)  # names were checked; ties are shared
        return
    for name, parameter in model.named_parameters():
        tensors[name] = nn.Parameter(tensors[name], requires_grad=parameter.requires_grad)
    for alias, first in ties.items():
        tensors[alias] = tensors[first]  # the same object, so that they stay one
    model.load_state_dict(tensors, assign=True)


def tied_names(model: nn.Module) -> dict[str, str]:
    """Names of parameters that are shared, each with the first name of the same parameter."""
    first: dict[int, str] = {}
    ties = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if first.setdefault(id(parameter), name) != name:
            ties[name] = first[id(parameter)]
    return ties


def _without_ties(
    tensors: Mapping[str, Tensor], ties: Mapping[str, str], where: str
) -> dict[str, Tensor]:
    """Keep one tensor of each tie, under the first name; if both are there, they must agree."""
    for alias, first in ties.items():
        if alias in tensors and first in tensors and not tensors[alias].equal(tensors[first]):
            raise ValueError(f"{where}: {alias} and {first} must be equal, because they are tied")
    return {ties.get(name, name): tensor for name, tensor in tensors.items()}


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read a safetensors file after checking that it is whole and unaltered.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is a pickle, cut short, or not what was written.
    """
    path = Path(path)
    check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            recorded = (file.metadata() or {}).get("sha256")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"expected a safetensors file, but {path} is not one: {error}") from error
    if recorded and recorded != (found := digest(tensors)):
        raise ValueError(
            f"{path} was altered: expected tensors with SHA-256 {recorded}, found {found}"
        )
    return tensors


def write_tensors(tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Write tensors to a safetensors file, with a digest that `read_tensors` checks.

    Raises:
        ValueError: If a tensor holds NaN or infinity, has no values, or is of a type that the
            format does not know; it is named.
    """
    path = Path(path)
    for name, tensor in tensors.items():
        check_values(name, tensor, f"{path} was not written")
        if tensor.dtype not in _TYPES:
            raise ValueError(f"{path} was not written: {name} is of type {tensor.dtype}")
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    plain = dict(sorted(plain.items(), key=lambda item: -item[1].itemsize))  # keeps them aligned
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(_header(plain, {"format": "pt", "sha256": digest(plain)}))
        for tensor in plain.values():
            file.write(as_bytes(tensor))


def _header(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """What stands before the tensors: 8 bytes of length, then JSON that says what lies where.

    The format's own writer is not used: it leaves files of random names when it is killed.
    """
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        shape, offsets = list(tensor.shape), [start, end]
        entries[name] = {
            "dtype": _TYPES[tensor.dtype],
            "shape": shape,
            "data_offsets": offsets,
        }
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Lend a path to write to, then put what was written in the place of `path` in one step.

    The reader of `path` finds the old file or the new one, never a part: the new one is on the
    disk before it takes the name. If the body fails, nothing is left of it. A process killed in
    the body leaves at most one file, `path` + ".partial", which the next call overwrites.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _flush(path.parent)  # the new name, too, survives a power cut


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
