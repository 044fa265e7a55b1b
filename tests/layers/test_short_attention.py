"""Tests of bigmodel_lib/layers/short_attention.py."""

import pytest
import torch

from bigmodel_lib.layers.attention import attention_weights
from bigmodel_lib.layers.fused_attention import attend
from bigmodel_lib.layers.masks import causal_mask
from bigmodel_lib.layers.short_attention import LONGEST, attend_short, is_faster


def inputs(n_tokens: int, dtype: torch.dtype, n_heads: int = 3) -> list[torch.Tensor]:
    return [torch.randn(2, n_heads, n_tokens, 8, dtype=dtype, requires_grad=True) for _ in range(3)]


@pytest.mark.parametrize("n_tokens", [1, 2, 7, 31])
def test_values_and_gradients_are_those_of_the_equation(n_tokens):
    q, k, v = inputs(n_tokens, torch.float64)
    expected = attention_weights(q, k, causal_mask(n_tokens)) @ v
    actual = attend_short(q, k, v)
    torch.testing.assert_close(actual, expected)

    gradient = torch.randn_like(expected)
    for ours, theirs in zip(
        torch.autograd.grad(actual, (q, k, v), gradient),
        torch.autograd.grad(expected, (q, k, v), gradient),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_bfloat16_stays_close_to_the_equation_in_double_precision():
    q, k, v = inputs(64, torch.bfloat16)
    wide = [x.detach().double().requires_grad_() for x in (q, k, v)]
    expected = attention_weights(wide[0], wide[1], causal_mask(64)) @ wide[2]
    actual = attend(q, k, v, causal=True)
    torch.testing.assert_close(actual.double(), expected, atol=0.03, rtol=0.03)

    gradients = torch.autograd.grad(actual.sum(), (q, k, v))
    for ours, theirs in zip(gradients, torch.autograd.grad(expected.sum(), wide), strict=True):
        torch.testing.assert_close(ours.double(), theirs, atol=0.03, rtol=0.03)


def test_it_is_chosen_for_short_texts_in_bfloat16_while_training_only():
    q, k, _ = inputs(8, torch.bfloat16)
    assert is_faster(q, k)
    assert not is_faster(q.detach(), k)
    assert not is_faster(q.float(), k.float())
    assert not is_faster(q[:, :, :1], k[:, :, :1])
    assert not is_faster(q, k[:, :1])
    long = torch.empty(1, 1, LONGEST + 1, 2, dtype=torch.bfloat16, requires_grad=True)
    assert not is_faster(long, long)


def test_attend_takes_this_way_only_where_it_does_the_same(monkeypatch):
    """A second mask, dropout, or attention that looks ahead is the fused kernel's work."""
    taken = []

    def note(q, k, v):
        taken.append(q.shape)
        return attend_short(q, k, v)

    monkeypatch.setattr("bigmodel_lib.layers.fused_attention.attend_short", note)
    q, k, v = inputs(8, torch.bfloat16)
    attend(q, k, v)
    attend(q, k, v, torch.ones(8, 8, dtype=torch.bool), causal=True)
    attend(q, k, v, causal=True, dropout=0.1)
    assert taken == []
    attend(q, k, v, causal=True)
    assert taken == [q.shape]
