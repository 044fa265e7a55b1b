"""Tests of bigmodel_lib/configs/vgg.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.vgg import TINY, VGG11, VGG13, VGG16, VGG19


@pytest.mark.parametrize(
    ("config", "n_layers"), [(VGG11, 11), (VGG13, 13), (VGG16, 16), (VGG19, 19)]
)
def test_the_name_counts_the_layers_with_weights(config, n_layers):
    assert sum(config.depths) + 3 == n_layers
    assert config.feature_size == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_hidden": 0}, "d_hidden must be a whole number of at least 1, got 0"),
        ({"depths": (1, 1)}, "depths and channels must name the same stages, got 2 and 3"),
        ({"depths": (1, 0, 1)}, r"depths and channels must be at least 1, got \(1, 0, 1\)"),
        ({"image_size": 7}, r"image_size \(7\) is too small to be halved 3 times"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
