"""Tests of bigmodel_lib/data/mnist.py, on files of the same format made here."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from bigmodel_lib.data import mnist
from bigmodel_lib.data.digits import load_digits
from bigmodel_lib.data.download import Remote
from bigmodel_lib.data.mnist import load_mnist, read_idx


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Seven digits to train on, three to test on, already downloaded."""
    rng, arrays = np.random.default_rng(0), {}
    for part, n in (("TRAIN", 7), ("TEST", 3)):
        arrays[f"{part}_IMAGES"] = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        arrays[f"{part}_LABELS"] = rng.integers(0, 10, n, dtype=np.uint8)
    for name, array in arrays.items():
        content, file = idx(array), getattr(mnist, name).name
        tmp_path.joinpath(file).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        remote = Remote(url=f"http://127.0.0.1:1/{file}", size=len(content), sha256=digest)
        monkeypatch.setattr(mnist, name, remote)
    monkeypatch.setenv("BIGMODEL_DATA", str(tmp_path))
    return arrays


def test_reads_what_was_written(files):
    images, labels, test_images, test_labels = load_mnist()

    np.testing.assert_allclose(images[:, 0] * 255, files["TRAIN_IMAGES"], atol=1e-4)
    np.testing.assert_array_equal(labels, files["TRAIN_LABELS"])
    np.testing.assert_allclose(test_images[:, 0] * 255, files["TEST_IMAGES"], atol=1e-4)
    np.testing.assert_array_equal(test_labels, files["TEST_LABELS"])


def test_is_one_argument_away_from_the_digits(files):
    ours, theirs = load_digits(8), load_digits(source="mnist")
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype
        assert one.ndim == other.ndim
    assert theirs.train_images.shape == (7, 1, 28, 28)
    with pytest.raises(ValueError, match="size must be 28 for MNIST, got 8"):
        load_digits(8, source="mnist")


def test_the_published_files():
    """Sizes and the sum of them: 11,594,722 bytes, as the docstring's 11.6 MB says."""
    files = (mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS, mnist.TEST_IMAGES, mnist.TEST_LABELS)
    assert sum(file.size for file in files) == 11_594_722
    assert len({file.sha256 for file in files}) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "is not an array of unsigned bytes"),
        (b"\0\0", "is not an array of unsigned bytes"),
        (b"\0\0\x08\x03\0\0\0\x01", "is not an array of unsigned bytes"),
        (b"\0\0\x08\x01\0\0\0\x03ab", r"holds 2 values, and its header says \(3,\)"),
        (b"\0\0\x08\x02\0\0\0\x01\0\0\0\x01ab", r"holds 2 values, and its header says \(1, 1\)"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, content, message):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=message):
        read_idx(path)
