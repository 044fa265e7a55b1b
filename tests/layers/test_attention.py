"""Tests of bigmodel_lib/layers/attention.py."""

import pytest
import torch
from torch import Tensor, nn

from bigmodel_lib.layers.attention import (
    CrossAttention,
    GroupedQueryAttention,
    MultiHeadAttention,
    attention_weights,
    merge_heads,
    split_heads,
)
from bigmodel_lib.layers.masks import causal_mask, padding_mask
from bigmodel_lib.layers.positions import RotaryPosition

B, T, D, H = 2, 5, 12, 3


class ListCache:
    """The smallest thing that keeps the cache's promise."""

    def __init__(self) -> None:
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}

    def update(self, layer_index: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        if layer_index in self.layers:
            old_k, old_v = self.layers[layer_index]
            k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)
        self.layers[layer_index] = k, v
        return k, v


@pytest.fixture
def x() -> Tensor:
    return torch.randn(B, T, D)


def randomise(module: nn.Module) -> nn.Module:
    """Draw biases of the size of the activations, so that a forgotten one shows."""
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    return module


def torch_twin(ours: MultiHeadAttention, bias: bool) -> tuple[nn.Module, list]:
    theirs = nn.MultiheadAttention(ours.d_model, ours.n_heads, bias=bias, batch_first=True)
    pairs = [
        (ours.to_qkv.weight, theirs.in_proj_weight),
        (ours.to_out.weight, theirs.out_proj.weight),
    ]
    if bias:
        pairs += [(ours.to_qkv.bias, theirs.in_proj_bias), (ours.to_out.bias, theirs.out_proj.bias)]
    for a, b in pairs:
        b.data.copy_(a.data)
    assert len(pairs) == len(list(ours.parameters())) == len(list(theirs.parameters()))
    return theirs, pairs


@pytest.mark.parametrize(("d_model", "n_heads"), [(12, 1), (12, 3), (12, 12), (35, 7), (1, 1)])
@pytest.mark.parametrize("n_tokens", [1, 2, 7, 128])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_matches_torch(d_model, n_heads, n_tokens, bias, causal, assert_parity):
    """Same weights, same input, same output and gradients as PyTorch's own layer."""
    x = torch.randn(B, n_tokens, d_model)
    ours = randomise(MultiHeadAttention(d_model, n_heads, bias=bias))
    theirs, pairs = torch_twin(ours, bias)
    mask = causal_mask(n_tokens) if causal else None

    expected, _ = theirs(x, x, x, attn_mask=None if mask is None else ~mask)

    assert_parity(ours(x, mask), expected, pairs)
    if causal:
        torch.testing.assert_close(ours(x, causal=True), expected, rtol=1e-5, atol=1e-5)


def test_matches_torch_on_a_padded_batch(x, assert_parity):
    ours = randomise(MultiHeadAttention(D, H, bias=True))
    theirs, pairs = torch_twin(ours, bias=True)
    mask = padding_mask(torch.tensor([5, 2]), T)

    expected, _ = theirs(x, x, x, key_padding_mask=~mask[:, 0, 0])

    assert_parity(ours(x, mask), expected, pairs)


@pytest.mark.parametrize(("n_heads", "n_kv_heads"), [(1, 1), (6, 1), (6, 2), (6, 6)])
@pytest.mark.parametrize("n_tokens", [1, 7, 64])
def test_grouped_queries_match_llama(n_heads, n_kv_heads, n_tokens, assert_parity):
    """Rotary positions, a causal mask and shared keys, as in the published code."""
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = llama.LlamaConfig(
        hidden_size=4 * n_heads, num_attention_heads=n_heads, num_key_value_heads=n_kv_heads
    )
    config._attn_implementation = "eager"
    ours = GroupedQueryAttention(4 * n_heads, n_heads, n_kv_heads=n_kv_heads)
    theirs, x = llama.LlamaAttention(config, layer_idx=0), torch.randn(B, n_tokens, 4 * n_heads)
    ours.to_qkv.weight.data = torch.cat(
        [p.weight.data for p in (theirs.q_proj, theirs.k_proj, theirs.v_proj)]
    )
    ours.to_out.weight.data = theirs.o_proj.weight.data.clone()
    positions, mask = torch.arange(n_tokens), causal_mask(n_tokens)
    angles = llama.LlamaRotaryEmbedding(config)(x, positions[None])

    y = ours(x, causal=True, rotation=RotaryPosition(4)(positions))
    expected, _ = theirs(x, angles, torch.where(mask, 0.0, -torch.inf)[None, None])

    assert_parity(y, expected, [(ours.to_out.weight, theirs.o_proj.weight)])
    y, expected = (
        ours(x, mask, rotation=RotaryPosition(4)(positions)),
        theirs(x, angles, torch.where(mask, 0.0, -torch.inf)[None, None])[0],
    )
    y.square().sum().backward()
    expected.square().sum().backward()
    wanted = [p.weight.grad for p in (theirs.q_proj, theirs.k_proj, theirs.v_proj)]
    torch.testing.assert_close(ours.to_qkv.weight.grad, torch.cat(wanted), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("n_queries", "n_keys"), [(1, 1), (1, 7), (7, 1), (5, 11)])
def test_cross_attention_matches_torch(n_queries, n_keys, bias):
    ours = randomise(CrossAttention(D, H, bias=bias))
    theirs = nn.MultiheadAttention(D, H, bias=bias, batch_first=True)
    x, context = torch.randn(B, n_queries, D), torch.randn(B, n_keys, D)
    mask = padding_mask(torch.tensor([n_keys, 1]), n_keys)
    theirs.in_proj_weight.data = torch.cat([ours.to_q.weight.data, ours.to_kv.weight.data])
    theirs.out_proj.load_state_dict(ours.to_out.state_dict())
    if bias:
        theirs.in_proj_bias.data = torch.cat([ours.to_q.bias.data, ours.to_kv.bias.data])

    y = ours(x, context, mask)
    expected, _ = theirs(x, context, context, key_padding_mask=~mask[:, 0, 0])
    y.square().sum().backward()
    expected.square().sum().backward()

    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-5)
    for kind in ("weight", "bias") if bias else ("weight",):
        both = torch.cat([getattr(layer, kind).grad for layer in (ours.to_q, ours.to_kv)])
        wanted = getattr(theirs, f"in_proj_{kind}").grad
        torch.testing.assert_close(both, wanted, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(
            getattr(ours.to_out, kind).grad, getattr(theirs.out_proj, kind).grad
        )


def test_context_can_be_projected_once(x):
    layer, context = CrossAttention(D, H), torch.randn(B, 4, D)
    torch.testing.assert_close(layer.read(x, *layer.keys_values(context)), layer(x, context))


def test_layer_is_the_equation(x):
    """The fused kernel computes what the equation says."""
    layer, mask = MultiHeadAttention(D, H), causal_mask(T)
    q, k, v = split_heads(layer.to_qkv(x), D // H).chunk(3, dim=1)
    y = merge_heads(attention_weights(q, k, mask) @ v)

    torch.testing.assert_close(layer(x, mask), layer.to_out(y))


def test_weights_of_a_hand_worked_example():
    """Two keys, one twice as aligned: softmax([1, 2]) = [1, e] / (1 + e)."""
    q = torch.tensor([[[[1.0, 0.0, 0.0, 0.0]]]])  # (1, 1, 1, 4), so √K = 2
    k = torch.tensor([[[[2.0, 0.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0]]]])

    torch.testing.assert_close(
        attention_weights(q, k).flatten(), torch.tensor([0.26894142, 0.73105858])
    )


@pytest.mark.parametrize("masked", [False, True])
def test_gradcheck(masked):
    q, k = (torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    mask = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
    assert torch.autograd.gradcheck(
        lambda q, k: attention_weights(q, k, mask if masked else None), (q, k)
    )


def test_no_nan_is_made_even_on_the_way_back():
    """Anomaly mode looks at every intermediate gradient, also those that are masked later."""
    q = torch.randn(1, 1, 2, 3, requires_grad=True)
    mask = torch.tensor([[False, False], [True, False]])
    with torch.autograd.set_detect_anomaly(True):
        attention_weights(q, q, mask).square().sum().backward()
    assert q.grad.isfinite().all()


def test_weights_sum_to_one_or_to_nothing():
    q, k = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 7, 5)
    mask = torch.rand(2, 1, 4, 7) > 0.5
    mask[1, 0, 2] = False
    weights = attention_weights(q, k, mask)

    torch.testing.assert_close(weights.sum(-1), mask.any(-1).float().expand(2, 3, 4))
    assert not weights.masked_select(~mask).any()


@pytest.mark.parametrize("layer", [MultiHeadAttention(D, H), CrossAttention(D, H)])
def test_a_query_that_may_look_nowhere_reads_zero(x, layer):
    """Neither the output nor any gradient is NaN, and other rows are as if it were not there."""
    mask = torch.ones(T, T, dtype=torch.bool)
    mask[2] = False
    inputs = (x.requires_grad_(), x) if isinstance(layer, CrossAttention) else (x.requires_grad_(),)

    y, free = layer(*inputs, mask), layer(*inputs)
    y.sum().backward()

    assert torch.equal(y[:, 2], torch.zeros(B, D))  # to_out has no bias here
    torch.testing.assert_close(y[:, [0, 1, 3, 4]], free[:, [0, 1, 3, 4]])
    assert all(p.grad.isfinite().all() for p in [x, *layer.parameters()])


def test_future_tokens_cannot_be_seen(x):
    """Changing the last token leaves every earlier output untouched."""
    layer = MultiHeadAttention(D, H)
    changed = x.clone()
    changed[:, -1] += 1.0

    for how in ({"attn_mask": causal_mask(T)}, {"causal": True}):
        torch.testing.assert_close(layer(changed, **how)[:, :-1], layer(x, **how)[:, :-1])
        assert not torch.allclose(layer(changed, **how)[:, -1], layer(x, **how)[:, -1])


def test_order_does_not_matter_without_a_mask(x):
    """Self-attention alone is permutation-equivariant."""
    layer, order = MultiHeadAttention(D, H), torch.randperm(T)

    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order])


@pytest.mark.parametrize("n_kv_heads", [1, 3])
@pytest.mark.parametrize("pieces", [(1, 1, 1, 1, 1), (3, 2), (2, 1, 2), (5,)])
def test_cached_equals_uncached(x, n_kv_heads, pieces):
    """Read in pieces, with a cache of two layers, of which this is the second."""
    layer, rotary = GroupedQueryAttention(D, 3, n_kv_heads=n_kv_heads), RotaryPosition(4)
    positions, cache, done = torch.arange(T), ListCache(), 0
    expected = layer(x, causal=True, rotation=rotary(positions))

    parts = []
    for n in pieces:
        now = slice(done, done + n)
        parts.append(
            layer(
                x[:, now], causal=True, rotation=rotary(positions[now]), cache=cache, layer_index=1
            )
        )
        done += n

    torch.testing.assert_close(torch.cat(parts, dim=1), expected)
    assert list(cache.layers) == [1]
    assert cache.layers[1][0].shape == (B, n_kv_heads, T, 4)


def test_dropout_only_while_training(x):
    for layer, inputs in (
        (MultiHeadAttention(D, H, dropout=0.5), (x,)),
        (CrossAttention(D, H, dropout=0.5), (x, x)),
    ):
        assert not torch.equal(layer(*inputs), layer(*inputs))
        layer.eval()
        assert torch.equal(layer(*inputs), layer(*inputs))


def test_grouped_queries_need_fewer_parameters():
    """Queries D², keys and values D·G·K each, output D²."""
    layer = GroupedQueryAttention(12, 6, n_kv_heads=2)
    assert sum(p.numel() for p in layer.parameters()) == 2 * 12**2 + 2 * 12 * 2 * 2


def test_builds_on_the_meta_device():
    with torch.device("meta"):
        layer = GroupedQueryAttention(16_384, 128, n_kv_heads=8)
        y = layer(
            torch.empty(1, 3, 16_384), causal=True, rotation=RotaryPosition(128)(torch.arange(3))
        )
    assert y.is_meta
    assert y.shape == (1, 3, 16_384)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: MultiHeadAttention(12, 5),
            r"d_model \(12\) must be a multiple of n_heads \(5\)",
        ),
        (lambda x: CrossAttention(12, 5), r"d_model \(12\) must be a multiple of n_heads \(5\)"),
        (
            lambda x: GroupedQueryAttention(12, 6, n_kv_heads=4),
            r"n_heads \(6\) must be a multiple of n_kv_heads \(4\)",
        ),
        (
            lambda x: GroupedQueryAttention(12, 6, n_kv_heads=0),
            "n_kv_heads must be at least 1, got 0",
        ),
        (lambda x: MultiHeadAttention(12, 0), "n_heads must be at least 1, got 0"),
        (
            lambda x: MultiHeadAttention(12, 3, dropout=1.5),
            r"dropout must be in \[0, 1\), got 1\.5",
        ),
        (lambda x: CrossAttention(12, 3, dropout=-1), r"dropout must be in \[0, 1\), got -1"),
        (lambda x: MultiHeadAttention(8, 2)(x), r"x must have shape \(B, T, 8\), got \(2, 5, 12\)"),
        (lambda x: MultiHeadAttention(D, H)(x[0]), r"\(B, T, 12\), got \(5, 12\)"),
        (lambda x: MultiHeadAttention(D, H)(x, torch.ones(T, T)), r"boolean.*torch\.float32"),
        (lambda x: MultiHeadAttention(D, H)(x, causal_mask(4)), r"\(4, 4\).*\(2, 3, 5, 5\)"),
        (lambda x: CrossAttention(D, H)(x, x[:1]), r"context must have shape \(2, S, 12\)"),
        (lambda x: CrossAttention(D, H)(x[..., 1:], x), r"x must have.*got \(2, 5, 11\)"),
        (lambda x: attention_weights(x, x, torch.ones(T, T)), r"boolean.*torch\.float32"),
        (
            lambda x: MultiHeadAttention(D, H)(x, rotation=RotaryPosition(4)(torch.arange(4))),
            r"cos must have shape \(\.\.\., 5, 4\), got \(4, 4\)",
        ),
    ],
)
def test_mistakes_are_explained(x, call, message):
    with pytest.raises(ValueError, match=message):
        call(x)
