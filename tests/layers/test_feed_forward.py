"""Tests of bigmodel_lib/layers/feed_forward.py."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bigmodel_lib.layers.feed_forward import FeedForward, SwiGLU


@pytest.mark.parametrize("activation", [F.relu, F.gelu, nn.GELU(approximate="tanh")])
def test_is_two_linear_layers_of_torch(activation, assert_parity):
    ours, x = FeedForward(5, 11, activation=activation), torch.randn(2, 3, 5)
    up, down = nn.Linear(5, 11), nn.Linear(11, 5)
    up.load_state_dict(ours.up.state_dict())
    down.load_state_dict(ours.down.state_dict())
    wrt = zip(ours.parameters(), [*up.parameters(), *down.parameters()], strict=True)

    assert_parity(ours(x), down(activation(up(x))), list(wrt))


def test_matches_the_block_of_llama(assert_parity):
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = llama.LlamaConfig(hidden_size=6, intermediate_size=7, num_attention_heads=1)
    ours, theirs, x = SwiGLU(6, 7), llama.LlamaMLP(config), torch.randn(2, 3, 6)
    theirs.gate_proj.weight.data, theirs.up_proj.weight.data = (
        w.clone() for w in ours.to_gate_up.weight.data.chunk(2)
    )
    theirs.down_proj.weight.data = ours.down.weight.data.clone()

    assert_parity(ours(x), theirs(x), [(ours.down.weight, theirs.down_proj.weight)])
    ours(x).square().sum().backward()
    theirs(x).square().sum().backward()
    expected = torch.cat([theirs.gate_proj.weight.grad, theirs.up_proj.weight.grad])
    torch.testing.assert_close(ours.to_gate_up.weight.grad, expected)


def test_gate_by_hand():
    """One number: gate 2, up 3, so silu(2) · 3 = 6 σ(2)."""
    layer = SwiGLU(1, 1)
    layer.to_gate_up.weight.data = torch.tensor([[2.0], [3.0]])
    layer.down.weight.data = torch.tensor([[1.0]])

    torch.testing.assert_close(layer(torch.ones(1, 1)), torch.tensor([[6 * 0.880797078]]))


@pytest.mark.parametrize("layer", [FeedForward(4, 16), SwiGLU(4, 16)])
def test_each_position_is_treated_alone(layer):
    x = torch.randn(2, 5, 4)
    torch.testing.assert_close(layer(x)[:, 2], layer(x[:, 2]))


def test_dropout_only_while_training():
    layer, x = FeedForward(4, 64, dropout=0.5), torch.randn(3, 4)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_without_bias():
    assert [n for n, _ in FeedForward(4, 8, bias=False).named_parameters()] == [
        "up.weight",
        "down.weight",
    ]
    assert all(
        "bias" in n for n in dict(SwiGLU(4, 8, bias=True).named_parameters()) if n[-1] == "s"
    )


@pytest.mark.parametrize("layer", [FeedForward(4, 16), SwiGLU(4, 16)])
def test_refuses_another_width(layer):
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 4\), got \(2, 5\)"):
        layer(torch.randn(2, 5))
