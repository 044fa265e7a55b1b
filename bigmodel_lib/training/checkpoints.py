"""A training run on disk: everything that the next step depends on, in one safetensors file.

Model, optimizer state, the state of PyTorch's random generators, and the loop's own progress. The
file is written whole or not at all, and nothing in it is unpickled.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from bigmodel_lib.weights.files import fill, read_tensors, tied_names, write_tensors


def save_checkpoint(
    path: str | Path, model: nn.Module, optimizer: Optimizer, progress: dict[str, Any]
) -> None:
    """Write a checkpoint; an older one at `path` stays until the new one is complete.

    Args:
        path: Where to write; the folder must exist.
        model: Its parameters and persistent buffers are saved, tied ones once.
        optimizer: Its state per parameter and its groups' settings are saved.
        progress: Anything JSON can hold: the step, the best loss.

    Raises:
        ValueError: If a tensor holds NaN or infinity; it is named, and nothing is written.
    """
    ties = tied_names(model)
    tensors = {f"model.{n}": t for n, t in model.state_dict().items() if n not in ties}
    state = optimizer.state_dict()
    numbers: dict[str, dict[str, Any]] = {}
    for index, entry in state["state"].items():
        for name, value in entry.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = value
            else:
                numbers.setdefault(str(index), {})[name] = value
    tensors["random.cpu"] = torch.get_rng_state()
    for i, rng in enumerate(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []):
        tensors[f"random.cuda.{i}"] = rng
    rest = {"progress": progress, "groups": state["param_groups"], "numbers": numbers}
    tensors["rest"] = torch.frombuffer(bytearray(json.dumps(rest).encode()), dtype=torch.uint8)
    write_tensors(tensors, path)


def load_checkpoint(path: str | Path, model: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Put model, optimizer and random state back as they were; return the progress.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not whole, not a checkpoint, or of another model or optimizer.
            The model is then unchanged.
    """
    tensors = read_tensors(path)
    if "rest" not in tensors:
        raise ValueError(f"{path} holds weights, but not a checkpoint of a training run")
    rest = json.loads(bytes(tensors.pop("rest").numpy()))
    _check_groups(rest["groups"], optimizer, path)
    fill(model, _take(tensors, "model."), where=str(path))

    state: dict[int, dict[str, Any]] = {int(i): dict(n) for i, n in rest["numbers"].items()}
    for key, value in _take(tensors, "optimizer.").items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": rest["groups"]})

    torch.set_rng_state(tensors["random.cpu"])
    if torch.cuda.is_available() and (cuda := _take(tensors, "random.cuda.")):
        torch.cuda.set_rng_state_all([cuda[key] for key in sorted(cuda, key=int)])
    return rest["progress"]


def _take(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _check_groups(saved: list[dict], optimizer: Optimizer, path: str | Path) -> None:
    found = [len(group["params"]) for group in saved]
    expected = [len(group["params"]) for group in optimizer.param_groups]
    if found != expected:
        raise ValueError(
            f"{path}: expected an optimizer with groups of {expected} parameters, found {found}"
        )
