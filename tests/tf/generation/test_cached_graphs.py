"""Tests of bigmodel_lib/tf/generation/cached_graphs.py; test_cache.py holds what they compute."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from bigmodel_lib.configs.gpt import TINY
from bigmodel_lib.tf.generation.cache import cache_for, next_logits
from bigmodel_lib.tf.generation.cached_graphs import append, graph_for
from bigmodel_lib.tf.models.gpt import GPT


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_append(dtype):
    """Of 1 + 2^-9, bfloat16 keeps the 1; what lies beyond the new positions stays as it was."""
    variable = tf.Variable(tf.fill((2, 1, 5, 3), tf.cast(7, dtype)))
    so_far = append(variable, 1, tf.fill((2, 1, 2, 3), 1 + 2**-9))
    expected = [7, *[1 if dtype == "bfloat16" else 1 + 2**-9] * 2, 7, 7]
    assert so_far.shape == (2, 1, 3, 3)
    np.testing.assert_array_equal(tf.cast(so_far, "float32")[1, 0, :, 2], expected[:3])
    np.testing.assert_array_equal(tf.cast(variable, "float32")[0, 0, :, 1], expected)


def seen(model: GPT, batch: int, dtype: str | None = None) -> tuple:
    cache = cache_for(model, batch, 8, dtype=dtype)
    return cache.keys, cache.values, tf.constant(0)


def test_three_graphs_serve_all_texts():
    model = GPT(TINY)
    asked = [(1, 1), (1, 2), (3, 1), (5, 1), (1, 7), (3, 4)]
    graphs = [graph_for(model, tf.zeros(s, "int32"), *seen(model, s[0])) for s in asked]
    assert [graphs.index(graph) for graph in graphs] == [0, 1, 2, 2, 1, 1]


def test_another_dtype_or_model_has_its_own():
    model, token = GPT(TINY), tf.zeros((1, 1), "int32")
    first = graph_for(model, token, *seen(model, 1))
    other = GPT(TINY)
    assert graph_for(model, token, *seen(model, 1)) is first
    assert graph_for(model, tf.zeros((1, 1), "int64"), *seen(model, 1)) is not first
    assert graph_for(model, token, *seen(model, 1, "bfloat16")) is not first
    assert graph_for(other, token, *seen(other, 1)) is not first


def test_graphs_leave_with_their_model():
    model = GPT(TINY)
    next_logits(model, np.zeros((1, 4), int), cache_for(model, 1, 4))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
