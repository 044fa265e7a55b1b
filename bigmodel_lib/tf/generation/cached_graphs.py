"""Graphs that read some tokens through a key-value cache.

Paper:  Abadi et al. (2016), TensorFlow: A System for Large-Scale Machine Learning, section 3,
        arXiv:1605.08695 (a computation as a graph, made once and run often).

Each model has three, which read a prompt, a token of one text and a token of each of many, for any
length and cache: sizes are left open, which XLA (`jit_compile`) does not allow.

Shapes: B batch, T new positions, S positions so far, G key-value heads, K head width, V vocabulary.
"""

import weakref
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import KerasTensor as Tensor
from keras import ops

from bigmodel_lib.tf.layers.attention import KeyValueCache

Variables = tuple[tf.Variable, ...]


def append(variable: tf.Variable, start: int, new: Tensor) -> Tensor:
    """Store keys or values of one layer.

    Args:
        variable: What the cache keeps them in, (B, G, S or more, K).
        start: Number of positions that are there.
        new: What comes after them, (B, G, T, K); rounded to the variable's dtype.

    Returns:
        What is there so far, (B, G, S, K).
    """
    end = start + ops.shape(new)[2]
    variable[:, :, start:end].assign(ops.cast(new, variable.dtype))
    so_far = variable[:, :, :end]
    # What a graph knows of B it would forget here, and then compute every shape that follows.
    so_far.set_shape((*new.shape[:2], None, new.shape[3]))
    return so_far


class _InGraph:
    """What the graphs below see of a cache: its variables, and its length as a tensor.

    They leave it to `next_logits` to note the new length, once for all layers.
    """

    def __init__(self, keys: Variables, values: Variables, length: Tensor) -> None:
        self.length, self.keys, self.values = length, keys, values

    def update(self, layer_index: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self.keys[layer_index], self.values[layer_index]
        return append(keys, self.length, k), append(values, self.length, v)


def read(model: Any, fresh: Tensor, cache: KeyValueCache) -> Tensor:
    """Score what follows some new tokens, (B, T), that are read through a cache; (B, V)."""
    if not hasattr(model, "hidden"):
        return ops.cast(model(fresh, cache=cache)[:, -1], "float32")
    # Only the last position is turned into V scores: a prompt's others are not asked for.
    return ops.cast(model.to_logits(model.hidden(fresh, cache=cache)[:, -1]), "float32")


def graph_for(
    model: keras.Model, fresh: Tensor, keys: Variables, values: Variables, length: Tensor
) -> Callable[..., Tensor]:
    """The compiled `read` for any prompt, or for one token of one text or of any number.

    Args:
        model: Maps tokens (B, T) to logits (B, T, V).
        fresh: The new tokens, (B, T), integer; only their shape and dtype matter.
        keys: Of a cache, one variable per layer.
        values: As the keys.
        length: Number of positions that are there, ().

    Returns:
        A function of the last four arguments.
    """
    shape = (1 if fresh.shape[0] == 1 else None, 1) if fresh.shape[1] == 1 else (None, None)
    graphs, kind = _GRAPHS.setdefault(model, {}), (shape, fresh.dtype, keys[0].dtype)
    if kind not in graphs:
        weak = weakref.ref(model)  # a graph that held the model would keep it for ever

        def step(fresh: Tensor, keys: Variables, values: Variables, length: Tensor) -> Tensor:
            return read(weak(), fresh, _InGraph(keys, values, length))

        # Made for sizes as open as `shape`; a `tf.function` would compare all arguments each time.
        graphs[kind] = tf.function(step, autograph=False).get_concrete_function(
            tf.TensorSpec(shape, fresh.dtype), keys, values, length
        )
    return graphs[kind]


_GRAPHS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
