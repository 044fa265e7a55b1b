"""Attention without its matrix of weights: memory grows with the length, not with its square.

Paper:  Dao et al. (2022), FlashAttention: Fast and Memory-Efficient Exact Attention with
        IO-Awareness, section 3, arXiv:2205.14135.
Twin:   bigmodel_lib/tf/layers/fused_attention.py

The kernel is PyTorch's. It, too, returns zeros for a query that may look at no key.

Shapes: B batch, T query positions, S key positions, H heads, G key-value heads, K head width.
"""

from torch import Tensor
from torch.nn import functional as F

from bigmodel_lib.layers.masks import causal_mask, check_mask
from bigmodel_lib.layers.short_attention import attend_short, is_faster


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
    if attn_mask is not None:
        check_mask(attn_mask, (*q.shape[:-1], n_keys))
    if causal and n_queries > n_keys:
        raise ValueError(f"causal attention of {n_queries} queries needs as many keys: {n_keys}")
    if k.dtype != q.dtype:  # the kernel takes one dtype, and sums in float32 at least
        y = attend(q.to(k.dtype), k, v, attn_mask, causal=causal, dropout=dropout)
        return y.to(q.dtype)
    if causal and attn_mask is None and not dropout and is_faster(q, k):
        return attend_short(q, k, v)
    # The kernel's own causal flag skips half of the work, but knows neither an offset nor a
    # second mask. A single query is the last position, from which nothing lies ahead.
    if causal and n_queries > 1 and (attn_mask is not None or n_queries < n_keys):
        past = causal_mask(n_queries, q.device, offset=n_keys - n_queries)  # (T, S)
        attn_mask = past if attn_mask is None else attn_mask & past
    return F.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=attn_mask,
        dropout_p=dropout,
        is_causal=causal and n_queries > 1 and attn_mask is None,
        enable_gqa=q.shape[-3] != k.shape[-3],
    )
