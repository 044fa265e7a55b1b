"""CIFAR-10: 60,000 colour photographs of 32×32 pixels in ten classes.

Data: Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images, technical report,
      University of Toronto, chapter 3.

The binary edition is read, not the one for Python, which is made of pickles.
"""

import tarfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bigmodel_lib.data.download import Remote, download

CIFAR10 = Remote(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    size=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_N_BYTES = 1 + 3 * 32 * 32  # the label, then the red, the green and the blue plane


def load_cifar10(folder: Path | None = None) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Download CIFAR-10 (170 MB) unless it is here, and read it.

    Args:
        folder: Where to keep the file; None is the data folder.

    Returns:
        Images (50000, 3, 32, 32) of float32 in [0, 1] and labels (50000,) of int64 to train on,
        and the same of 10,000 to test on.
    """
    with tarfile.open(download(CIFAR10, folder)) as tar:
        parts = {
            Path(member.name).name: read_batch(file)
            for member in tar
            if member.name.endswith(".bin") and (file := tar.extractfile(member))
        }
    train = [parts[f"data_batch_{number}.bin"] for number in range(1, 6)]
    images, labels = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    return images, labels, *parts["test_batch.bin"]


def read_batch(file: IO[bytes]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read one file of the archive: images (N, 3, 32, 32) and labels (N,).

    Raises:
        ValueError: If the file is cut short or a label is not below ten.
    """
    raw = np.frombuffer(file.read(), np.uint8)
    if raw.size % _N_BYTES:
        raise ValueError(f"a batch is rows of {_N_BYTES} bytes, got {raw.size} bytes")
    rows = raw.reshape(-1, _N_BYTES)
    labels = rows[:, 0].astype(np.int64)
    if labels.size and labels.max() >= len(CLASSES):
        raise ValueError(f"labels must be below {len(CLASSES)}, got {labels.max()}")
    return rows[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255.0, labels
