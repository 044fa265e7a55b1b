"""Sizes of the small convolutional network."""

from dataclasses import dataclass

from bigmodel_lib.configs.checks import check_counts


@dataclass(frozen=True, kw_only=True)
class CNNConfig:
    """Every number needed to build a `CNN`, and nothing else.

    Attributes:
        image_size: Height and width of the square images, in pixels.
        in_channels: Colours of a pixel: 3, or 1 for grey.
        channels: Number of filters of the first and of the second convolution.
        kernel_size: Height and width of a filter.
        d_hidden: Width of the dense layer before the last.
        n_classes: Number of classes to tell apart.
    """

    image_size: int = 32
    in_channels: int = 3
    channels: tuple[int, int] = (32, 64)
    kernel_size: int = 3
    d_hidden: int = 128
    n_classes: int = 10

    def __post_init__(self) -> None:
        check_counts(self, "image_size", "in_channels", "kernel_size", "d_hidden", "n_classes")
        if len(self.channels) != 2 or min(self.channels) < 1:
            raise ValueError(f"channels must be two positive numbers, got {self.channels}")
        if self.feature_size < 1:
            raise ValueError(
                f"image_size ({self.image_size}) is too small for two convolutions of "
                f"kernel_size {self.kernel_size}, each followed by a pooling of 2"
            )

    @property
    def feature_size(self) -> int:
        """Height and width that are left of the image before it is flattened."""
        size = self.image_size
        for _ in self.channels:
            size = (size - self.kernel_size + 1) // 2
        return size


CIFAR_CNN = CNNConfig()
"""32×32 colour images, ten classes: the network of the documents that this book follows."""

DIGITS_CNN = CNNConfig(image_size=28, in_channels=1)
"""28×28 grey images, ten digits."""
