"""Tests of bigmodel_lib/configs/vit.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.vit import TINY, VIT_B16, VIT_L16


def test_an_image_is_worth_14_by_14_patches():
    assert (VIT_B16.n_patches, VIT_L16.n_patches) == (196, 196)
    assert (VIT_B16.d_head, VIT_L16.d_head) == (64, 64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patch_size": 5}, r"image_size \(32\) must be a multiple of patch_size \(5\)"),
        ({"n_heads": 3}, r"d_model \(32\) must be a multiple of n_heads \(3\)"),
        ({"n_classes": 0}, "n_classes must be a whole number of at least 1, got 0"),
        ({"dropout": -0.1}, r"dropout must be in \[0, 1\), got -0.1"),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
