"""How many numbers a model learns, and where they sit.

Chapter: chapters/01_background/01_what_is_a_big_model.ipynb
"""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Model = TypeVar("Model", bound=nn.Module)


def count_parameters(model: nn.Module, *, trainable_only: bool = False) -> int:
    """Count the entries of every parameter tensor.

    A tensor that two layers share, such as an embedding that is also the output head, counts
    once. Buffers (running means, position tables that are not learned) do not count.

    Args:
        model: Any module, on any device, `meta` included.
        trainable_only: Leave out the parameters that are frozen.
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)


def parameters_by_part(model: nn.Module, *, depth: int = 1) -> dict[str, int]:
    """Split the total of `count_parameters` over the parts of the model.

    A shared tensor belongs to the part that holds it first, so the values add up to the total.

    Args:
        model: Any module.
        depth: How many names of the path to keep: 1 gives `blocks`, 2 gives `blocks.0`.

    Returns:
        Number of parameters under each name, in the order of the model. A parameter that
        the model holds directly stands under its own name.

    Raises:
        ValueError: If `depth` is below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    parts: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        *path, leaf = name.split(".")
        parts[".".join(path[:depth]) or leaf] += parameter.numel()
    return dict(parts)


def meta_model(build: Callable[[], Model]) -> Model:
    """Build a model whose tensors have shapes and no storage.

    A model of 175 billion parameters is built in seconds on any machine; it can be counted
    and its shapes followed, but it holds no values.

    Args:
        build: Called without arguments, for example `lambda: GPT(GPT3_175B)`.

    Raises:
        ValueError: If the model holds a tensor that takes up memory all the same.
    """
    with torch.device("meta"):
        model = build()
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if not tensor.is_meta:
            raise ValueError(f"{name} was built on {tensor.device}, not on the meta device")
    return model
