"""Small colour images in ten classes: drawn shapes, or the photographs of CIFAR-10.

Shapes: N images, 32 × 32 pixels, three channels.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bigmodel_lib.data import cifar, shapes


class LabelledImages(NamedTuple):
    """Images (N, 3, 32, 32) in [0, 1] and labels (N,) to train on and to test on."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]


def load_images(
    source: Literal["shapes", "cifar10"] = "shapes",
    *,
    n_train: int = 4_000,
    n_test: int = 1_000,
    seed: int = 0,
) -> LabelledImages:
    """Load images for classification.

    Args:
        source: "shapes" draws scenes with one shape each; "cifar10" downloads CIFAR-10 (170 MB)
            on the first call.
        n_train: Number of images to train on; of CIFAR-10 the first ones.
        n_test: Number of images to test on, likewise.
        seed: Which scenes are drawn.

    Raises:
        ValueError: If `source` is unknown, or a number is below one or more than there are.
    """
    if min(n_train, n_test) < 1:
        raise ValueError(f"n_train and n_test must be at least 1, got {n_train} and {n_test}")
    if source == "shapes":
        scenes = shapes.draw_scenes(n_train + n_test, seed=seed)
        images, labels = scenes.images, scenes.labels[:, 0]
        train, test = slice(n_train), slice(n_train, None)
        names = tuple(shapes.CLASSES)
        return LabelledImages(images[train], labels[train], images[test], labels[test], names)
    if source == "cifar10":
        images, labels, test_images, test_labels = cifar.load_cifar10()
        if n_train > len(images) or n_test > len(test_images):
            raise ValueError(
                f"CIFAR-10 has {len(images)} and {len(test_images)} images, "
                f"got n_train {n_train} and n_test {n_test}"
            )
        train, test = slice(n_train), slice(n_test)
        return LabelledImages(
            images[train], labels[train], test_images[test], test_labels[test], cifar.CLASSES
        )
    raise ValueError(f"source must be 'shapes' or 'cifar10', got {source!r}")
