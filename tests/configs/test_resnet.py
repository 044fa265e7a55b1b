"""Tests of bigmodel_lib/configs/resnet.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.resnet import RESNET18, RESNET34, RESNET50, RESNET101, RESNET152, TINY


@pytest.mark.parametrize(
    ("config", "n_layers"),
    [(RESNET18, 18), (RESNET34, 34), (RESNET50, 50), (RESNET101, 101), (RESNET152, 152)],
)
def test_the_name_counts_the_layers_with_weights(config, n_layers):
    """The stem, two or three convolutions a block, the last linear map; shortcuts do not count."""
    per_block = {"basic": 2, "bottleneck": 3}[config.block]
    assert 1 + per_block * sum(config.depths) + 1 == n_layers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_classes": 0}, "n_classes must be a whole number of at least 1, got 0"),
        ({"depths": (1,)}, "depths and channels must name the same stages, got 1 and 2"),
        (
            {"channels": (8, 0)},
            r"depths and channels must be at least 1, got \(1, 1\) and \(8, 0\)",
        ),
        ({"block": "wide"}, 'block must be "basic" or "bottleneck", got "wide"'),
        ({"stem": "huge"}, 'stem must be "large" or "small", got "huge"'),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
