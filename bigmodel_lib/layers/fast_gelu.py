"""GPT-2's GELU in the form that is fastest: one kernel, or another equation for the compiler.

Paper: Hendrycks & Gimpel (2016), Gaussian Error Linear Units, section 2, arXiv:1606.08415.

A tanh is a sigmoid: (1 + tanh u) / 2 = σ(2u). PyTorch has one kernel for the form with the tanh;
its compiler writes a loop of its own, in which on a CPU a sigmoid takes much less time than a tanh:
a twentieth of a training step of a GPT, see `benchmarks/README.md`.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def gelu_tanh(x: Tensor) -> Tensor:
    """The curve of `activations.gelu_tanh`, number by number; any shape to the same shape."""
    if not torch.compiler.is_compiling():
        return F.gelu(x, approximate="tanh")
    slope = 2 * math.sqrt(2 / math.pi)
    return x * torch.sigmoid(slope * (x + 0.044715 * x * x * x))
