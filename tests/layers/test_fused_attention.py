"""Tests of bigmodel_lib/layers/fused_attention.py: it is the equation, computed otherwise."""

import pytest
import torch
from torch import Tensor

from bigmodel_lib.layers.attention import attention_weights
from bigmodel_lib.layers.fused_attention import attend
from bigmodel_lib.layers.masks import causal_mask, padding_mask, sliding_window_mask


def heads(n_heads: int, n_tokens: int, batch: int = 2) -> Tensor:
    return torch.randn(batch, n_heads, n_tokens, 5, requires_grad=True)


def equation(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """The slow way, each query head with its own copy of the keys and values."""
    group = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    return attention_weights(q, k, attn_mask) @ v


@pytest.mark.parametrize(("n_heads", "n_kv_heads"), [(1, 1), (3, 3), (6, 2), (7, 1)])
@pytest.mark.parametrize(
    ("n_queries", "n_keys"), [(1, 1), (2, 2), (7, 7), (1, 11), (3, 11), (64, 64)]
)
@pytest.mark.parametrize("causal", [False, True])
def test_is_the_equation(n_heads, n_kv_heads, n_queries, n_keys, causal, assert_parity):
    q, k, v = heads(n_heads, n_queries), heads(n_kv_heads, n_keys), heads(n_kv_heads, n_keys)
    mask = causal_mask(n_queries, offset=n_keys - n_queries) if causal else None
    # With a single key there is nothing to weigh: only the value has a gradient.
    wrt = [(v, v)] if n_keys == 1 else [(q, q), (k, k), (v, v)]

    assert_parity(attend(q, k, v, causal=causal), equation(q, k, v, mask), wrt)
    assert_parity(attend(q, k, v, mask), equation(q, k, v, mask), wrt)


@pytest.mark.parametrize(("n_queries", "n_keys"), [(7, 7), (1, 7), (3, 7)])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_and_causality_together(n_queries, n_keys, side, assert_parity):
    """Left padding leaves the first queries with nothing to look at: zeros, and no NaN."""
    q, k, v = heads(3, n_queries), heads(3, n_keys), heads(3, n_keys)
    padding = padding_mask(torch.tensor([7, 4]), 7, side=side)
    both = padding & causal_mask(n_queries, offset=n_keys - n_queries)

    y = attend(q, k, v, padding, causal=True)

    assert_parity(y, equation(q, k, v, both), [(q, q), (k, k), (v, v)])
    if side == "left" and n_queries == 7:
        assert torch.equal(y[1, :, :3], torch.zeros(3, 3, 5))


def test_window(assert_parity):
    q, k, v = heads(3, 7), heads(3, 7), heads(3, 7)
    mask = sliding_window_mask(7, 3)
    assert_parity(attend(q, k, v, mask), equation(q, k, v, mask), [(q, q), (k, k), (v, v)])


@pytest.mark.parametrize(("n_queries", "n_kv_heads"), [(1, 6), (1, 2), (9, 6), (9, 1)])
@pytest.mark.parametrize(
    ("dtype", "eps"), [(torch.bfloat16, 2**-8), (torch.float16, 2**-11), (torch.float64, 1e-6)]
)
def test_keys_and_values_of_another_dtype(n_queries, n_kv_heads, dtype, eps):
    """As from a cache of 16 bits: the equation, as exactly as these bits can be."""
    q = torch.randn(2, 6, n_queries, 64)
    k, v = (torch.randn(2, n_kv_heads, 40, 64).to(dtype) for _ in range(2))
    y = attend(q, k, v, causal=True)
    assert y.dtype == torch.float32
    mask = causal_mask(n_queries, offset=40 - n_queries)
    expected = equation(q.double(), k.double(), v.double(), mask)
    largest = (y - expected).abs().max().item()
    assert largest < 8 * eps  # rounding q, the weights and the sum; values are about 1
    assert largest > eps / 100  # or else nothing was rounded


def test_dropout_keeps_the_mean_and_drops_something():
    q, k, v = heads(1, 1, 1), heads(1, 4, 1), torch.ones(1, 1, 4, 5)
    q = q.expand(4000, -1, -1, -1)
    y = attend(q, k.expand(4000, -1, -1, -1), v.expand(4000, -1, -1, -1), dropout=0.25)
    assert y.std() > 0.05
    assert y.mean().item() == pytest.approx(1.0, abs=0.05)


def test_mistakes_are_explained():
    q, k = torch.randn(1, 1, 3, 4), torch.randn(1, 1, 2, 4)
    with pytest.raises(ValueError, match=r"causal attention of 3 queries needs as many keys.* 2"):
        attend(q, k, k, causal=True)
    with pytest.raises(ValueError, match=r"must be boolean.*torch\.float32"):
        attend(q, k, k, torch.ones(3, 2))
    with pytest.raises(ValueError, match=r"\(2, 2\) does not broadcast.*\(1, 1, 3, 2\)"):
        attend(q, k, k, causal_mask(2))
