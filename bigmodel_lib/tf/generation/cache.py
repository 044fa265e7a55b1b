"""Key-value cache: what earlier tokens offered, kept so that it need not be computed again.

Paper:  Shazeer (2019), Fast Transformer Decoding: One Write-Head is All You Need, section 2.4,
        arXiv:1911.02150 (decoding one token at a time, with keys and values as state).
Twin:   bigmodel_lib/generation/cache.py

A token's keys and values depend on the tokens before it only, so they never change; without a
cache, writing n tokens takes the work of reading 1 + 2 + … + n of them.

Step by step, Python and Keras take several times as long as the arithmetic of one token; so
`next_logits` runs a graph, see `cached_graphs.py`.

Shapes: B batch, T new positions, S positions so far, G key-value heads, K head width, L layers.
"""

import inspect
from typing import Any

import keras
import tensorflow as tf
from keras import KerasTensor as Tensor
from keras import ops

from bigmodel_lib.tf.generation.cached_graphs import append, graph_for, read
from bigmodel_lib.tf.models.checks import check_tokens

FORMATS = ("float64", "float32", "float16", "bfloat16")


class KeyValueStore:
    """Keys and values of all layers, in memory that is taken once.

    It is the `KeyValueCache` that `layers/attention.py` asks for.

    Args:
        batch: Number of sequences, B.
        max_len: Most positions that fit.
        n_layers: Number of attention layers, L.
        n_kv_heads: Number of key-value heads, G.
        d_head: Width of a head, K.
        device: Where to store; None for the default.
        dtype: Number format; None for the default. What comes in is rounded to it.

    Raises:
        ValueError: If a size is below one, or the dtype is not one of `FORMATS`.
    """

    def __init__(
        self,
        batch: int,
        max_len: int,
        *,
        n_layers: int,
        n_kv_heads: int,
        d_head: int,
        device: str | None = None,
        dtype: str | None = None,
    ) -> None:
        shape = (n_layers, batch, n_kv_heads, max_len, d_head)
        if min(shape) < 1:
            raise ValueError(
                f"a cache needs at least one of everything, got (L, B, G, S, K) {shape}"
            )
        if dtype not in (None, *FORMATS):
            raise ValueError(f"a cache's dtype must be one of {FORMATS}, got {dtype}")
        # The graph is told neither B nor the longest S, so that one fits all.
        known = (None, n_kv_heads, None, d_head)
        with tf.device(device):
            zeros = tf.zeros(shape[1:], dtype or keras.config.floatx())
            # One variable per layer: who writes into one that is being read copies all of it.
            self.keys, self.values = (
                tuple(tf.Variable(zeros, shape=known, trainable=False) for _ in range(n_layers))
                for _ in range(2)
            )
        self.max_len = max_len
        self._used = tf.Variable(tf.zeros(n_layers, "int32"), trainable=False)

    @property
    def length(self) -> int:
        """Number of positions that every layer has stored, S."""
        return self._used_by(-1)

    @property
    def nbytes(self) -> int:
        """Bytes taken, whether used or not."""
        return sum(int(tf.size(v)) * v.dtype.size for v in (*self.keys, *self.values))

    def update(self, layer_index: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append to one layer and return all that it holds.

        Args:
            layer_index: Which layer.
            k: New keys, (B, G, T, K).
            v: New values, (B, G, T, K).

        Returns:
            Keys and values so far, each (B, G, S, K): views, valid until the next change.

        Raises:
            ValueError: If they do not fit.
        """
        start = self._used_by(layer_index)
        self._check_fit(start, k)
        self._used[layer_index].assign(start + ops.shape(k)[2])
        keys, values = self.keys[layer_index], self.values[layer_index]
        return append(keys, start, k), append(values, start, v)

    def reorder(self, rows: Tensor) -> None:
        """Let sequence b go on from what sequence `rows[b]` has stored; (B,), integer."""
        for variable in (*self.keys, *self.values):
            used = variable[:, :, : self.length]
            variable[:, :, : self.length].assign(tf.gather(used, rows))

    def clear(self) -> None:
        """Forget everything, and keep the memory."""
        self._used.assign(tf.zeros_like(self._used))

    def _check_fit(self, start: int, k: Tensor) -> None:
        if tf.is_tensor(start):
            return  # not known until the graph runs; the kernel refuses what does not fit
        self._check_room(start, k.shape[2])
        batch, n_kv_heads, _, d_head = tf.shape(self.keys[0]).numpy().tolist()
        expected = (batch, n_kv_heads, k.shape[2], d_head)
        if k.shape != expected:
            raise ValueError(f"the cache expects (B, G, T, K) = {expected}, got {tuple(k.shape)}")

    def _check_room(self, start: int, n_tokens: int) -> None:
        if start + n_tokens > self.max_len:
            raise ValueError(
                f"{n_tokens} positions after {start} exceed the cache's {self.max_len}"
            )

    def _used_by(self, layer_index: int) -> int:
        """Number of positions of one layer; in a graph a tensor, whose number is not known yet."""
        used = tf.convert_to_tensor(self._used)
        return used[layer_index] if tf.is_symbolic_tensor(used) else int(used.numpy()[layer_index])


def cache_for(
    model: keras.Model, batch: int, max_len: int, *, dtype: str | None = None
) -> KeyValueStore | None:
    """Make a cache of the right shape, device and dtype for a model of this library.

    Args:
        model: A model with a config.
        batch: Number of sequences, B.
        max_len: Most positions to store.
        dtype: Number format; None for the model's. 16 bits are half of what each token has to read.

    Returns:
        The cache, or None if the model's `forward` takes none.

    Raises:
        ValueError: If a dtype is asked for where there is no cache, or is not one of `FORMATS`.
    """
    if "cache" not in inspect.signature(model.call).parameters:
        if dtype is None:
            return None
        raise ValueError(f"{type(model).__name__} keeps no keys and values: leave their dtype None")
    config: Any = model.config
    return KeyValueStore(
        batch,
        max_len,
        n_layers=config.n_layers,
        n_kv_heads=getattr(config, "n_kv_heads", config.n_heads),
        d_head=config.d_head,
        device=model.weights[0].value.device,
        dtype=dtype or model.compute_dtype,
    )


def next_logits(model: keras.Model, tokens: Tensor, cache: KeyValueStore | None = None) -> Tensor:
    """Score what follows a text, reading only those tokens that the cache has not seen.

    Args:
        model: Maps tokens (B, T) to logits (B, T, V).
        tokens: The whole text so far, (B, S), integer.
        cache: Keys and values of a beginning of that text; None to read all of it.

    Returns:
        Scores of the next token, (B, V), in single precision.
    """
    tokens = ops.convert_to_tensor(tokens)
    if cache is None:
        return ops.cast(model(tokens)[:, -1], "float32")
    n_before = cache.length
    fresh = tokens[:, n_before:]  # (B, T)
    if tf.is_tensor(n_before):  # the caller is a graph already
        return read(model, fresh, cache)
    check_tokens(fresh, model.config.max_len, offset=n_before)
    cache._check_room(n_before, fresh.shape[1])
    seen = cache.keys, cache.values, tf.constant(n_before)
    graph = graph_for(model, fresh, *seen)
    try:
        logits = graph(fresh, *seen)
    except tf.errors.InvalidArgumentError:
        model(tokens)  # outside of a graph it says in words what it cannot read
        raise
    cache._used.assign(tf.fill(cache._used.shape, n_before + fresh.shape[1]))
    return logits
