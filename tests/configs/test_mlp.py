"""Tests of bigmodel_lib/configs/mlp.py."""

import pytest

from bigmodel_lib.configs.mlp import MLPConfig


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ((784,), r"widths must name at least input and output, got \(784,\)"),
        ((784, 0, 10), r"widths must be whole numbers of at least 1, got \(784, 0, 10\)"),
        ((784, 12.5, 10), r"widths must be whole numbers of at least 1, got \(784, 12.5, 10\)"),
    ],
)
def test_impossible_widths_are_refused(widths, message):
    with pytest.raises(ValueError, match=message):
        MLPConfig(widths=widths)
