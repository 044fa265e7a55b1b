"""Fold norms into convolutions: what only scales and shifts need not be a layer of its own.

Paper: Jacob et al. (2018), Quantization and Training of Neural Networks for Efficient
       Integer-Arithmetic-Only Inference, section 3.2, arXiv:1712.05877.

At evaluation a batch norm multiplies each channel by one number s = γ / √(variance + ε) and adds
another. The convolution before it can do both itself, with the filters s w and the bias
β + s (b - mean): the same function, and one pass less over the image. While training it is not: the
mean and the variance are then those of the batch.

Shapes: O output channels.
"""

import copy
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn

from bigmodel_lib.layers.norms import BatchNorm


@torch.no_grad()
def fold_norms(model: nn.Module) -> nn.Module:
    """Copy a model for reading, with every batch norm folded into the convolution before it.

    A convolution and its norm are neighbours in an `nn.Sequential`, or attributes of one module
    whose names differ in "conv" and "norm" only, as everywhere in this library.

    Args:
        model: Such as a ResNet or an Inception.

    Returns:
        A copy in evaluation mode, which gives what `model` gives there, up to rounding.

    Raises:
        ValueError: If there is no norm, or one whose convolution is not found.
    """
    if not any(isinstance(module, BatchNorm) for module in model.modules()):
        raise ValueError(f"{type(model).__name__} has no batch norm to fold")
    folded = copy.deepcopy(model).eval()
    for parent, conv_name, norm_name in list(_pairs(folded)):
        conv, norm = getattr(parent, conv_name), getattr(parent, norm_name)
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()  # (O,)
        shift = -norm.running_mean if conv.bias is None else conv.bias - norm.running_mean
        conv.weight = nn.Parameter(conv.weight * scale[:, None, None, None])
        conv.bias = nn.Parameter(norm.bias + scale * shift)
        setattr(parent, norm_name, nn.Identity())
    left = [name for name, module in folded.named_modules() if isinstance(module, BatchNorm)]
    if left:
        raise ValueError(f"there is no convolution to fold these norms into: {', '.join(left)}")
    return folded


def _pairs(model: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """Of every convolution and its norm: the module that has both, and their names in it."""
    for parent in model.modules():
        children = dict(parent.named_children())
        names = list(children)
        after = dict(pairwise(names))
        for name, child in children.items():
            in_order = isinstance(parent, nn.Sequential)
            norm_name = after.get(name, "") if in_order else name.replace("conv", "norm")
            if isinstance(child, nn.Conv2d) and isinstance(children.get(norm_name), BatchNorm):
                yield parent, name, norm_name
