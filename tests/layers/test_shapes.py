"""Tests of bigmodel_lib/layers/shapes.py."""

import pytest
import torch

from bigmodel_lib.layers.shapes import check_at_least, check_probability, check_shape


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((2, 3), ("B", 3)),
        ((2, 3), (2, 3)),
        ((0, 3), ("B", 3)),
        ((3,), ("...", 3)),
        ((5, 4, 3), ("...", 3)),
        ((5, 4, 3), ("...", "T", 3)),
    ],
)
def test_accepts(sizes, expected):
    check_shape("x", torch.zeros(sizes), *expected)


@pytest.mark.parametrize(
    ("sizes", "expected", "message"),
    [
        ((2, 4), ("B", 3), r"x must have shape \(B, 3\), got \(2, 4\)"),
        ((2, 4, 3), ("B", 3), r"x must have shape \(B, 3\), got \(2, 4, 3\)"),
        ((), ("...", 3), r"x must have shape \(\.\.\., 3\), got \(\)"),
        ((3,), ("...", "T", 3), r"x must have shape \(\.\.\., T, 3\), got \(3,\)"),
        ((3, 4), ("...", 3), r"x must have shape \(\.\.\., 3\), got \(3, 4\)"),
    ],
)
def test_refuses(sizes, expected, message):
    with pytest.raises(ValueError, match=message):
        check_shape("x", torch.zeros(sizes), *expected)


def test_counts():
    check_at_least(1, n_heads=1)
    with pytest.raises(ValueError, match="n_heads must be at least 1, got 0"):
        check_at_least(1, d_model=4, n_heads=0)


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_probabilities(p):
    check_probability("dropout", 0.0)
    with pytest.raises(ValueError, match=rf"dropout must be in \[0, 1\), got {p}"):
        check_probability("dropout", p)
