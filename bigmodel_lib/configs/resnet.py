"""Sizes of the residual networks: the columns of the paper's table 1."""

from dataclasses import dataclass
from typing import Literal

from bigmodel_lib.configs.checks import check_counts


@dataclass(frozen=True, kw_only=True)
class ResNetConfig:
    """Every number needed to build a `ResNet`, and nothing else.

    Attributes:
        depths: Number of residual blocks in each stage.
        block: "basic", two 3×3 convolutions, or "bottleneck", 1×1 then 3×3 then 1×1.
        channels: Width of the 3×3 convolutions of each stage; a bottleneck's output is four
            times as wide. Every stage after the first halves the image.
        stem: How an image enters: "large" shrinks it four times (7×7 convolution and pooling),
            for photographs; "small" keeps its size (3×3 convolution), for images of 32×32.
        in_channels: Colours of a pixel.
        n_classes: Number of classes to tell apart.
    """

    depths: tuple[int, ...]
    block: Literal["basic", "bottleneck"] = "basic"
    channels: tuple[int, ...] = (64, 128, 256, 512)
    stem: Literal["large", "small"] = "large"
    in_channels: int = 3
    n_classes: int = 1_000

    def __post_init__(self) -> None:
        check_counts(self, "in_channels", "n_classes")
        if not self.depths or len(self.depths) != len(self.channels):
            raise ValueError(
                f"depths and channels must name the same stages, "
                f"got {len(self.depths)} and {len(self.channels)}"
            )
        if min(self.depths + self.channels) < 1:
            raise ValueError(
                f"depths and channels must be at least 1, got {self.depths} and {self.channels}"
            )
        if self.block not in ("basic", "bottleneck"):
            raise ValueError(f'block must be "basic" or "bottleneck", got "{self.block}"')
        if self.stem not in ("large", "small"):
            raise ValueError(f'stem must be "large" or "small", got "{self.stem}"')

    @property
    def expansion(self) -> int:
        """How many times wider a block's output is than its 3×3 convolutions."""
        return 4 if self.block == "bottleneck" else 1


TINY = ResNetConfig(depths=(1, 1), channels=(8, 16), stem="small", n_classes=10)
RESNET18 = ResNetConfig(depths=(2, 2, 2, 2))
RESNET34 = ResNetConfig(depths=(3, 4, 6, 3))
RESNET50 = ResNetConfig(depths=(3, 4, 6, 3), block="bottleneck")
RESNET101 = ResNetConfig(depths=(3, 4, 23, 3), block="bottleneck")
RESNET152 = ResNetConfig(depths=(3, 8, 36, 3), block="bottleneck")
