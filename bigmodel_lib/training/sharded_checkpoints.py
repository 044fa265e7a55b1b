"""Checkpoints of a model in shards: every process writes its own, and no one holds the whole.

`torch.distributed.checkpoint` writes the shards as safetensors files, and reads them back for as
many processes as there are then. There are two folders, and a small file that says which of them
holds the last good checkpoint: the other one is written, and then the file is replaced in one
step. A run that is killed at any moment leaves the file, and the folder it names, as they were.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from bigmodel_lib.training.checkpoints import check_optimizer, pack, unpack
from bigmodel_lib.training.distributed import is_first, wait_for_all
from bigmodel_lib.weights.checks import check_names
from bigmodel_lib.weights.files import replacing, tied_names

LATEST = "latest.json"


def save_shards(
    folder: str | Path, model: nn.Module, optimizer: Optimizer, progress: dict[str, Any]
) -> None:
    """Write a checkpoint; called by every process.

    Args:
        folder: Created if it does not exist; an older checkpoint in it stays until the new one
            is complete, and is then removed.
        model: A model that `distributed.shard` has cut.
        optimizer: Of its parameters; the tensors of its state have the parameters' shapes.
        progress: Anything JSON can hold: the step, the best loss.
    """
    from torch.distributed import checkpoint

    folder = Path(folder)
    latest = folder / LATEST
    old = json.loads(latest.read_text())["shards"] if latest.exists() else "b"
    new = "b" if old == "a" else "a"
    wait_for_all()  # all have read before the first one writes
    if is_first():
        shutil.rmtree(folder / new, ignore_errors=True)  # left by a run that was killed
        folder.mkdir(parents=True, exist_ok=True)
    wait_for_all()
    tensors, rest = pack(model, optimizer, progress)
    writer = checkpoint.HuggingFaceStorageWriter(str(folder / new), save_distributed=True)
    checkpoint.save(tensors, storage_writer=writer)
    if is_first():
        shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
        with replacing(latest) as partial:
            partial.write_text(json.dumps(rest | {"shards": new, "shapes": shapes}))
        shutil.rmtree(folder / old, ignore_errors=True)
    wait_for_all()


def load_shards(folder: str | Path, model: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Put model, optimizer and random state back as they were; return the progress.

    Raises:
        FileNotFoundError: If there is no checkpoint in the folder.
        ValueError: If it is of another model or optimizer. The model is then unchanged.
    """
    from torch.distributed import checkpoint

    folder = Path(folder)
    rest = json.loads((folder / LATEST).read_text())
    check_optimizer(rest, optimizer, folder)
    tensors = _room_for(rest, model, optimizer, folder)
    reader = checkpoint.HuggingFaceStorageReader(str(folder / rest["shards"]))
    checkpoint.load(tensors, storage_reader=reader)  # into the model, and into new room
    unpack(tensors, rest, optimizer)
    return rest["progress"]


def _room_for(
    rest: dict[str, Any], model: nn.Module, optimizer: Optimizer, folder: Path
) -> dict[str, Tensor]:
    """Tensors of the shapes and shards that are to be read, by name; the model's are its own."""
    ties, shapes = tied_names(model), rest["shapes"]
    tensors = {f"model.{n}": t for n, t in model.state_dict().items() if n not in ties}
    check_names(tensors, (n for n in shapes if n.startswith("model.")), str(folder))
    for name, tensor in tensors.items():
        if list(tensor.shape) != shapes[name]:
            raise ValueError(
                f"{folder}: {name} must have shape {tuple(tensor.shape)}, "
                f"found {tuple(shapes[name])}"
            )
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for name in shapes:
        if name.startswith("optimizer."):
            tensors[name] = torch.zeros_like(params[int(name.split(".")[1])])
    tensors["random"] = torch.zeros(shapes["random"], dtype=torch.uint8)
    return tensors
