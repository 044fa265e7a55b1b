"""Tests of bigmodel_lib/configs/cnn.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.cnn import CIFAR_CNN, DIGITS_CNN


def test_feature_size_worked_by_hand():
    """32 -> 30 -> 15 -> 13 -> 6, and 28 -> 26 -> 13 -> 11 -> 5."""
    assert CIFAR_CNN.feature_size == 6
    assert DIGITS_CNN.feature_size == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_classes": 0}, "n_classes must be a whole number of at least 1, got 0"),
        ({"kernel_size": 2.0}, "kernel_size must be a whole number of at least 1, got 2.0"),
        ({"channels": (32, 0)}, r"channels must be two positive numbers, got \(32, 0\)"),
        ({"channels": (32,)}, r"channels must be two positive numbers, got \(32,\)"),
        ({"image_size": 9}, r"image_size \(9\) is too small for two convolutions"),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(CIFAR_CNN, **change)


def test_the_smallest_image_that_still_fits():
    assert replace(CIFAR_CNN, image_size=10).feature_size == 1
