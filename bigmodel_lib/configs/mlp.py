"""Sizes of a multi-layer perceptron, shared by both frameworks."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MLPConfig:
    """Every number needed to build an `MLP`.

    Attributes:
        widths: Number of values at each level, input first, output last: (784, 128, 10) is
            784 pixels, 128 hidden units and 10 classes.
    """

    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.widths) < 2:
            raise ValueError(f"widths must name at least input and output, got {self.widths}")
        if not all(isinstance(width, int) and width > 0 for width in self.widths):
            raise ValueError(f"widths must be whole numbers of at least 1, got {self.widths}")


MNIST_MLP = MLPConfig(widths=(784, 128, 10))
"""28×28 pixels in, ten digits out."""

REGRESSOR = MLPConfig(widths=(10, 20, 1))
"""Ten measurements in, one number out."""
