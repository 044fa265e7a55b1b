"""Tests of bigmodel_lib/data/cifar.py, on an archive of the same format made here."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

from bigmodel_lib.data import cifar
from bigmodel_lib.data.cifar import CLASSES, load_cifar10, read_batch
from bigmodel_lib.data.download import Remote

NAMES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]


def test_reads_every_batch_in_order(tmp_path, monkeypatch):
    """The archive holds them out of order; red comes first, and the first row is the top one."""
    rows = np.random.default_rng(0).integers(0, 256, (6, 4, 3073), dtype=np.uint8)
    rows[:, :, 0] %= 10
    path = tmp_path / "cifar.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, batch in reversed(list(zip(NAMES, rows, strict=True))):
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = batch.size
            tar.addfile(info, io.BytesIO(batch.tobytes()))
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    remote = Remote(url="http://127.0.0.1:1/cifar.tar.gz", size=len(content), sha256=digest)
    monkeypatch.setattr(cifar, "CIFAR10", remote)
    images, labels, test_images, test_labels = load_cifar10(tmp_path)

    assert images.shape == (20, 3, 32, 32)
    np.testing.assert_array_equal(labels, rows[:5, :, 0].ravel())
    np.testing.assert_array_equal(test_labels, rows[5, :, 0])
    assert images[7, 0, 0, 1] == np.float32(rows[1, 3, 1 + 1]) / 255
    assert images[7, 2, 31, 0] == np.float32(rows[1, 3, 1 + 2 * 1024 + 31 * 32]) / 255
    assert test_images.dtype == np.float32


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(3072), "a batch is rows of 3073 bytes, got 3072 bytes"),
        (b"\x0a" + bytes(3072), "labels must be below 10, got 10"),
    ],
)
def test_a_wrong_batch_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        read_batch(io.BytesIO(content))


def test_ten_classes():
    assert len(set(CLASSES)) == 10
