"""Tests of bigmodel_lib/layers/positions.py."""

import math

import pytest
import torch

from bigmodel_lib.layers.positions import (
    LearnedPosition,
    RotaryPosition,
    SinusoidalPosition,
    frequencies,
    rotate,
    sinusoidal,
)


def test_sinusoidal_is_the_formula_of_the_paper():
    """PE(p, 2i) = sin(p / 10000^(2i/D)) and PE(p, 2i+1) = cos of the same, number by number."""
    table = sinusoidal(torch.arange(5), 6)
    for p in range(5):
        for i in range(3):
            angle = p / 10_000 ** (2 * i / 6)
            assert table[p, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[p, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_sinusoidal_module_starts_anywhere_and_never_ends():
    layer, table = SinusoidalPosition(6), sinusoidal(torch.arange(9), 6)
    torch.testing.assert_close(layer(torch.arange(4, 9)), table[4:])
    assert layer(torch.tensor([1_000_000])).isfinite().all()
    assert not list(layer.state_dict())


def test_a_shift_is_a_rotation_of_the_sinusoids():
    """Why the paper chose them: the inner product depends on the distance alone."""
    table = sinusoidal(torch.arange(30), 8)
    torch.testing.assert_close(table[3] @ table[7], table[20] @ table[24], rtol=1e-5, atol=1e-5)


def test_learned_is_a_table():
    layer = LearnedPosition(5, 3)
    torch.testing.assert_close(layer(torch.tensor([4, 0])), layer.table.weight[[4, 0]])
    assert layer(torch.tensor([[4, 0]])).shape == (1, 2, 3)
    with pytest.raises(ValueError, match=r"must be in 0\.\.4, got 3\.\.5"):
        layer(torch.arange(3, 6))


@pytest.mark.parametrize("theta", [10_000.0, 500_000.0])
@pytest.mark.parametrize("positions", [torch.arange(7), torch.tensor([0]), torch.tensor([8191])])
def test_rotary_matches_the_hugging_face_layout(positions, theta):
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = llama.LlamaConfig(
        hidden_size=24,
        num_attention_heads=4,
        rope_parameters={"rope_type": "default", "rope_theta": theta},
    )
    q, k = torch.randn(2, 4, len(positions), 6), torch.randn(2, 2, len(positions), 6)
    angles = llama.LlamaRotaryEmbedding(config)(q, positions[None])
    expected_q, expected_k = llama.apply_rotary_pos_emb(q, k, *angles)

    cos, sin = RotaryPosition(6, theta=theta)(positions)

    torch.testing.assert_close(rotate(q, cos, sin), expected_q, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(rotate(k, cos, sin), expected_k, rtol=1e-5, atol=1e-5)


def test_rotary_is_the_paper_up_to_the_order_of_the_numbers():
    """RoFormer turns (2i, 2i + 1) as complex numbers; ours turns (i, i + K/2)."""
    x, positions = torch.randn(1, 2, 5, 6), torch.arange(5)
    turns = torch.polar(torch.ones(5, 3), positions[:, None] * frequencies(6))
    paper = torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (3, 2))) * turns).flatten(-2)
    ours_from_paper = torch.tensor([0, 2, 4, 1, 3, 5])  # where each of our numbers stood

    turned = rotate(x[..., ours_from_paper], *RotaryPosition(6)(positions))

    torch.testing.assert_close(turned, paper[..., ours_from_paper])


def test_a_quarter_turn_by_hand():
    """(1, 0) turned by 90° is (0, 1)."""
    x = torch.tensor([[[[1.0, 0.0]]]])
    zero, one = torch.zeros(1, 2), torch.ones(1, 2)
    torch.testing.assert_close(rotate(x, zero, one), torch.tensor([[[[0.0, 1.0]]]]))


def test_scores_depend_on_the_distance_alone():
    q, k, rotary = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8), RotaryPosition(8)

    def score(p: int, s: int) -> torch.Tensor:
        turned_q = rotate(q, *rotary(torch.tensor([p])))
        return (turned_q * rotate(k, *rotary(torch.tensor([s])))).sum()

    torch.testing.assert_close(score(5, 2), score(103, 100), rtol=1e-4, atol=1e-4)
    assert not torch.isclose(score(5, 2), score(5, 3))


def test_a_batch_may_stand_at_different_positions():
    """Left padding shifts every sequence by its own amount."""
    x, rotary = torch.randn(2, 3, 4, 6), RotaryPosition(6)
    positions = torch.stack([torch.arange(4), torch.arange(10, 14)])
    expected = torch.cat([rotate(x[i : i + 1], *rotary(positions[i])) for i in range(2)])

    torch.testing.assert_close(rotate(x, *rotary(positions)), expected)


def test_turning_keeps_lengths_and_dtype():
    x = torch.randn(1, 1, 3, 4, dtype=torch.bfloat16)
    turned = rotate(x, *RotaryPosition(4)(torch.arange(3)))
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1), rtol=2e-2, atol=2e-2)


def test_gradcheck():
    cos, sin = (t.double() for t in RotaryPosition(4)(torch.arange(3)))
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: rotate(x, cos, sin), (x,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RotaryPosition(5), "must be even, got 5"),
        (lambda: SinusoidalPosition(7), "must be even, got 7"),
        (lambda: frequencies(0), "must be even, got 0"),
        (lambda: LearnedPosition(0, 4), "max_len must be at least 1, got 0"),
        (lambda: SinusoidalPosition(4)(torch.zeros(1, 2)), r"\(T\), got \(1, 2\)"),
        (
            lambda: rotate(torch.zeros(1, 1, 3, 4), *RotaryPosition(4)(torch.arange(1))),
            r"cos must have shape \(\.\.\., 3, 4\), got \(1, 4\)",
        ),
        (
            lambda: rotate(torch.zeros(1, 1, 3, 4), torch.zeros(3, 4), torch.zeros(3, 2)),
            r"sin must have shape \(\.\.\., 3, 4\), got \(3, 2\)",
        ),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
