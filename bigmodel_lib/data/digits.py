"""Handwritten digits: 1,797 real digits, 8×8 counts of ink, that ship with scikit-learn.

Data: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
      Repository, doi:10.24432/C50P49; the test part, as scikit-learn distributes it.

Shapes: N images, H × W pixels, one channel.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bigmodel_lib.data.mnist import load_mnist

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


class Digits(NamedTuple):
    """Images (N, 1, H, W) of float32 in [0, 1] and their labels (N,), for training and testing."""

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels


def load_digits(
    size: int = 28,
    *,
    source: Literal["scikit-learn", "mnist"] = "scikit-learn",
    test_fraction: float = 0.2,
    seed: int = 0,
) -> Digits:
    """Load the digits, split so that every digit has its share in both parts.

    Args:
        size: 8 for the counts as they are distributed, 28 for the same enlarged to 28×28.
        source: "scikit-learn" for these, "mnist" for the 70,000 digits of MNIST, which are
            28×28, have a split of their own, and are downloaded (11.6 MB) on the first call.
        test_fraction: Share of each digit's images that is kept for testing, in (0, 1).
        seed: Which images those are; the same seed always keeps the same ones.

    Raises:
        ValueError: If `source` is unknown, `size` is not one that it has, or `test_fraction` is
            outside (0, 1).
    """
    if source == "mnist":
        if size != 28:
            raise ValueError(f"size must be 28 for MNIST, got {size}")
        return Digits(*load_mnist())
    if source != "scikit-learn":
        raise ValueError(f"source must be 'scikit-learn' or 'mnist', got {source!r}")
    if size not in (8, 28):
        raise ValueError(f"size must be 8 or 28, got {size}")
    if not 0.0 < test_fraction < 1.0:
        raise ValueError(f"test_fraction must be in (0, 1), got {test_fraction}")
    from sklearn.datasets import load_digits as load_counts  # a second to import: only when asked

    pixels, labels = load_counts(return_X_y=True)  # (N, 64) of 0..16, (N,)
    images = np.asarray(pixels, np.float32).reshape(-1, 1, 8, 8) / 16.0
    labels = np.asarray(labels, np.int64)
    if size != 8:
        images = enlarge(images, size)
    train, test = _stratified_split(labels, test_fraction, seed)
    return Digits(images[train], labels[train], images[test], labels[test])


def enlarge(images: Images, size: int) -> Images:
    """Resize (..., H, W) to (..., size, size), bilinearly between the centres of the pixels."""
    height, width = images.shape[-2:]
    rows, columns = _interpolation(height, size), _interpolation(width, size)
    return (rows @ images @ columns.T).astype(np.float32)


def _interpolation(n_old: int, n_new: int) -> Images:
    """Weights (n_new, n_old) of the old pixels in each new one; every row sums to one."""
    centres = (np.arange(n_new) + 0.5) * n_old / n_new - 0.5
    distance = np.abs(centres.clip(0, n_old - 1)[:, None] - np.arange(n_old))
    return (1.0 - distance).clip(0.0).astype(np.float32)


def _stratified_split(labels: Labels, test_fraction: float, seed: int) -> tuple[Labels, Labels]:
    """Positions of the training and of the testing images, each in the order of the file."""
    rng = np.random.default_rng(seed)
    is_test = np.zeros(len(labels), dtype=bool)
    for digit in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == digit))
        is_test[members[: round(test_fraction * len(members))]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
