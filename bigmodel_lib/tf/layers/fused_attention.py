"""Attention in as few passes over its matrix of weights as TensorFlow allows.

Paper:  Dao et al. (2022), FlashAttention: Fast and Memory-Efficient Exact Attention with
        IO-Awareness, section 3, arXiv:2205.14135.
Twin:   bigmodel_lib/layers/fused_attention.py

PyTorch has a kernel that never stores the weights; TensorFlow has none for a CPU, so here memory
grows with the square of the length. What can be saved is saved: grouped keys are not repeated, and
a causal mask alone, which leaves no row empty, needs one pass instead of two.

Shapes: B batch, T query positions, S key positions, H heads, G key-value heads, K head width.
"""

import keras
import tensorflow as tf
from keras import KerasTensor as Tensor
from keras import ops

from bigmodel_lib.tf.layers.masks import causal_mask, check_mask


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attn_mask: Tensor | None = None,
    *,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Read the values: softmax(q kᵀ / √K) v, by the quickest way there is.

    Args:
        q: Queries, (B, H, T, K).
        k: Keys, (B, G, S, K); every H / G neighbouring query heads share one. They may come from
            a cache of fewer bits than the queries.
        v: Values, (B, G, S, K), of the keys' dtype.
        attn_mask: As in `attention.attention_weights`, to which a test holds this function.
        causal: Also forbid looking ahead, the queries being the last T of the S positions.
        dropout: Probability of dropping a weight.

    Returns:
        (B, H, T, K), of the queries' dtype.

    Raises:
        ValueError: If the mask is unfit, or `causal` and T > S.
    """
    n_queries, n_keys = q.shape[-2], k.shape[-2]
    known = n_queries is not None and n_keys is not None
    if attn_mask is not None:
        check_mask(attn_mask, (*q.shape[:-1], n_keys))
    if causal and known and n_queries > n_keys:
        raise ValueError(f"causal attention of {n_queries} queries needs as many keys: {n_keys}")
    batch, n_heads, n_queries, width = ops.shape(q)
    n_kv_heads, n_keys = k.shape[1], ops.shape(k)[2]
    k, v = ops.cast(k, q.dtype), ops.cast(v, q.dtype)
    by_key = (batch, n_kv_heads, -1, width)  # the T queries of all heads that share a key
    q = ops.reshape(q * width**-0.5, by_key)  # (B, G, H/G T, K)
    scores = tf.matmul(q, k, transpose_b=True)  # (B, G, H/G T, S)
    scores = ops.reshape(scores, (batch, n_heads, n_queries, n_keys))
    weights = _weights(scores, attn_mask, causal)
    if dropout:
        weights = keras.random.dropout(weights, dropout)
    weights = ops.reshape(weights, (batch, n_kv_heads, -1, n_keys))
    return ops.reshape(tf.matmul(weights, v), (batch, n_heads, n_queries, width))


def _weights(scores: Tensor, attn_mask: Tensor | None, causal: bool) -> Tensor:
    """Softmax over the allowed keys, (B, H, T, S)."""
    allowed = attn_mask
    if causal and scores.shape[2] != 1:  # from a single query, the last, nothing lies ahead
        n_queries, n_keys = ops.shape(scores)[2:]
        past = causal_mask(n_queries, offset=n_keys - n_queries)  # (T, S)
        allowed = past if attn_mask is None else attn_mask & past
    if allowed is None:
        return tf.nn.softmax(scores)
    weights = tf.nn.softmax(ops.where(allowed, scores, tf.as_dtype(scores.dtype).min))
    return weights if attn_mask is None else ops.where(allowed, weights, 0.0)
