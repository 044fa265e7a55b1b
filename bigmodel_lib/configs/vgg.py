"""Sizes of the VGG family: configurations A, B, D and E of the paper's table 1."""

from dataclasses import dataclass

from bigmodel_lib.configs.checks import check_counts, check_dropout


@dataclass(frozen=True, kw_only=True)
class VGGConfig:
    """Every number needed to build a `VGG`, and nothing else.

    Attributes:
        depths: Number of 3×3 convolutions in each stage; a stage ends by halving the image.
        channels: Number of filters of each stage.
        image_size: Height and width of the square images, in pixels.
        in_channels: Colours of a pixel.
        d_hidden: Width of the two dense layers before the last.
        n_classes: Number of classes to tell apart.
        dropout: Probability of zeroing an activation of the dense layers during training.
    """

    depths: tuple[int, ...]
    channels: tuple[int, ...] = (64, 128, 256, 512, 512)
    image_size: int = 224
    in_channels: int = 3
    d_hidden: int = 4_096
    n_classes: int = 1_000
    dropout: float = 0.5

    def __post_init__(self) -> None:
        check_counts(self, "image_size", "in_channels", "d_hidden", "n_classes")
        check_dropout(self)
        if not self.depths or len(self.depths) != len(self.channels):
            raise ValueError(
                f"depths and channels must name the same stages, "
                f"got {len(self.depths)} and {len(self.channels)}"
            )
        if min(self.depths + self.channels) < 1:
            raise ValueError(
                f"depths and channels must be at least 1, got {self.depths} and {self.channels}"
            )
        if self.feature_size < 1:
            raise ValueError(
                f"image_size ({self.image_size}) is too small to be halved {len(self.depths)} times"
            )

    @property
    def feature_size(self) -> int:
        """Height and width that are left of the image after the last stage."""
        return self.image_size // 2 ** len(self.depths)


TINY = VGGConfig(
    depths=(1, 1, 2), channels=(8, 16, 32), image_size=32, d_hidden=64, n_classes=10, dropout=0.0
)
VGG11 = VGGConfig(depths=(1, 1, 2, 2, 2))
VGG13 = VGGConfig(depths=(2, 2, 2, 2, 2))
VGG16 = VGGConfig(depths=(2, 2, 3, 3, 3))
VGG19 = VGGConfig(depths=(2, 2, 4, 4, 4))
