"""Tests of bigmodel_lib/configs/transformer.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.transformer import BASE, BIG, TINY


def test_published_heads_are_64_wide():
    assert (BASE.d_head, BIG.d_head) == (64, 64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_heads": 5}, r"d_model \(32\) must be a multiple of n_heads \(5\)"),
        ({"d_model": 33, "n_heads": 3}, "d_model must be even for sines and cosines, got 33"),
        ({"n_layers": 0}, "n_layers must be a whole number of at least 1, got 0"),
        ({"dropout": 1.5}, r"dropout must be in \[0, 1\), got 1.5"),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
