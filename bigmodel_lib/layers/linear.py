"""Weighted sums: the layer that most parameters of a big model live in.

Paper:  Rosenblatt (1958), The Perceptron, Psychological Review 65(6), doi:10.1037/h0042519.
Twin:   bigmodel_lib/tf/layers/linear.py

Shapes: I inputs, O outputs.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from bigmodel_lib.layers.shapes import check_at_least, check_shape


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Every output is a weighted sum of all inputs, plus a bias: x Wᵀ + b.

    Args:
        x: Inputs, (..., I).
        weight: One row of weights per output, (O, I).
        bias: One number per output, (O,).

    Returns:
        Outputs, (..., O).
    """
    y = x @ weight.mT  # (..., O)
    return y if bias is None else y + bias


class Linear(nn.Linear):
    """`linear` with its own weights, by PyTorch's matrix kernel.

    Parameters and their initialisation, uniform within ±1/√I, are those of `torch.nn.Linear`.

    Args:
        d_in: Number of inputs, I.
        d_out: Number of outputs, O.
        bias: Whether to add a bias.

    Raises:
        ValueError: If a width is below one.
    """

    def __init__(self, d_in: int, d_out: int, *, bias: bool = True) -> None:
        check_at_least(1, d_in=d_in, d_out=d_out)
        super().__init__(d_in, d_out, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., I) to (..., O)."""
        check_shape("x", x, "...", self.in_features)
        return F.linear(x, self.weight, self.bias)
