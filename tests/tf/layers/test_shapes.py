"""Tests of bigmodel_lib/tf/layers/shapes.py."""

import keras
import numpy as np
import pytest

from bigmodel_lib.tf.layers.shapes import check_at_least, check_probability, check_shape


def test_letters_and_unknown_batch_sizes_fit_anything():
    check_shape("x", np.zeros((2, 3, 4)), "B", "T", 4)
    check_shape("x", keras.KerasTensor((None, 4)), 7, 4)
    check_shape("x", np.zeros((2, 3, 4)), "...", 4)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 3), (2, 4)])
def test_a_wrong_shape_is_named(shape):
    with pytest.raises(ValueError, match=r"x must have shape \(B, 3\), got \(") as caught:
        check_shape("x", np.zeros(shape), "B", 3)
    assert str(caught.value).endswith(str(shape))


def test_counts_and_probabilities():
    check_at_least(1, n_heads=1)
    with pytest.raises(ValueError, match="n_heads must be at least 1, got 0"):
        check_at_least(1, n_heads=0)
    check_probability("dropout", 0.0)
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got 1.0"):
        check_probability("dropout", 1.0)
