"""Tests of bigmodel_lib/data/digits.py."""

import numpy as np
import pytest
import torch
from sklearn import datasets
from torch.nn import functional as F

from bigmodel_lib.data.digits import enlarge, load_digits


def test_the_scans_are_scikit_learns():
    """The two parts together are the 1,797 images, each once, scaled from 0..16 to 0..1."""
    digits = load_digits(8)
    images = np.concatenate([digits.train_images, digits.test_images])
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    theirs = datasets.load_digits()
    rows = np.column_stack([labels, images.reshape(len(images), -1) * 16])
    expected = np.column_stack([theirs.target, theirs.data])

    assert sorted(map(tuple, rows)) == sorted(map(tuple, expected))


def test_shapes_and_types_are_those_of_a_batch_of_images():
    digits = load_digits()

    assert digits.train_images.shape == (1438, 1, 28, 28)
    assert digits.test_images.shape == (359, 1, 28, 28)
    assert digits.train_images.dtype == np.float32
    assert digits.train_labels.dtype == np.int64
    assert digits.train_images.min() == 0.0
    assert digits.train_images.max() == 1.0


def test_every_digit_has_its_share_in_both_parts():
    digits = load_digits(8, test_fraction=0.25)
    train, test = np.bincount(digits.train_labels), np.bincount(digits.test_labels)

    np.testing.assert_allclose(test / (train + test), 0.25, atol=0.005)


def test_the_seed_decides_the_split_and_nothing_else_does():
    one, again, other = load_digits(8), load_digits(8), load_digits(8, seed=1)

    np.testing.assert_array_equal(one.test_images, again.test_images)
    assert not np.array_equal(one.test_images, other.test_images)
    np.testing.assert_array_equal(load_digits(28).test_labels, one.test_labels)


@pytest.mark.parametrize("size", [28, 8, 5])
def test_enlarging_is_bilinear_interpolation(size):
    images = np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32)
    expected = F.interpolate(torch.from_numpy(images), size=(size, size), mode="bilinear")

    np.testing.assert_allclose(enlarge(images, size), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 32}, "size must be 8 or 28, got 32"),
        ({"test_fraction": 0.0}, r"test_fraction must be in \(0, 1\), got 0.0"),
        ({"test_fraction": 1.0}, r"test_fraction must be in \(0, 1\), got 1.0"),
    ],
)
def test_impossible_requests_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_digits(**arguments)
