"""Sizes of the Inception network: the rows of the paper's table 1."""

from dataclasses import dataclass
from itertools import chain
from typing import Literal

from bigmodel_lib.configs.checks import check_counts, check_dropout


@dataclass(frozen=True, kw_only=True)
class InceptionConfig:
    """Every number needed to build an `Inception`, and nothing else.

    Attributes:
        stages: Blocks of each stage; the image is halved between stages. A block is six
            channel counts: of the 1×1 branch; of the 3×3 branch, reduced and final; of the
            wide branch, reduced and final; of the pooling branch.
        stem_channels: Channels after the first convolution and at the end of the stem.
        stem: How an image enters: "large" shrinks it eight times, for photographs; "small"
            keeps its size, for images of 32×32.
        wide_kernel: Height and width of the wide branch's filters: 5 as in the paper.
        batch_norm: Whether to normalise after every convolution.
        in_channels: Colours of a pixel.
        n_classes: Number of classes to tell apart.
        dropout: Probability of zeroing a feature before the last layer during training.
    """

    stages: tuple[tuple[tuple[int, int, int, int, int, int], ...], ...]
    stem_channels: tuple[int, int] = (64, 192)
    stem: Literal["large", "small"] = "large"
    wide_kernel: int = 5
    batch_norm: bool = False
    in_channels: int = 3
    n_classes: int = 1_000
    dropout: float = 0.4

    def __post_init__(self) -> None:
        check_counts(self, "in_channels", "n_classes", "wide_kernel")
        check_dropout(self)
        if self.wide_kernel % 2 == 0:
            raise ValueError(
                f"wide_kernel must be odd to keep the image size, got {self.wide_kernel}"
            )
        if len(self.stem_channels) != 2 or min(self.stem_channels) < 1:
            raise ValueError(
                f"stem_channels must be two positive numbers, got {self.stem_channels}"
            )
        if self.stem not in ("large", "small"):
            raise ValueError(f'stem must be "large" or "small", got "{self.stem}"')
        if not self.stages or not all(self.stages):
            raise ValueError("stages must hold at least one stage of at least one block")
        for block in chain.from_iterable(self.stages):
            if len(block) != 6 or min(block) < 1:
                raise ValueError(f"a block must be six positive numbers, got {block}")


TINY = InceptionConfig(
    stages=(((4, 4, 8, 2, 4, 4),), ((8, 8, 16, 4, 8, 8),)),
    stem_channels=(8, 16),
    stem="small",
    batch_norm=True,
    n_classes=10,
    dropout=0.0,
)
GOOGLENET = InceptionConfig(
    stages=(
        (
            (64, 96, 128, 16, 32, 32),  # 3a
            (128, 128, 192, 32, 96, 64),  # 3b
        ),
        (
            (192, 96, 208, 16, 48, 64),  # 4a
            (160, 112, 224, 24, 64, 64),  # 4b
            (128, 128, 256, 24, 64, 64),  # 4c
            (112, 144, 288, 32, 64, 64),  # 4d
            (256, 160, 320, 32, 128, 128),  # 4e
        ),
        (
            (256, 160, 320, 32, 128, 128),  # 5a
            (384, 192, 384, 48, 128, 128),  # 5b
        ),
    ),
)
GOOGLENET_BATCH_NORM = InceptionConfig(
    stages=GOOGLENET.stages, wide_kernel=3, batch_norm=True, dropout=0.2
)
"""The layers of torchvision's `googlenet`: batch norms, and 3×3 filters where the paper has 5×5.

Its last halving pools 2×2 windows, ours 3×3 as the paper says; that holds no parameter."""
