"""Tests of bigmodel_lib/generation/sampling.py."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation.logits_process import (
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from bigmodel_lib.generation.sampling import generate, keep_top_k, keep_top_p, next_token

V = 37


class Wrapped(nn.Module):
    """A GPT-2 of transformers, seen as a model of ours."""

    def __init__(self, max_len: int = 32, dropout: float = 0.0) -> None:
        super().__init__()
        sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": V, "n_positions": max_len}
        drop = {"attn_pdrop": dropout, "embd_pdrop": dropout, "resid_pdrop": dropout}
        # transformers' small initial weights give near-uniform scores; 0.3 gives it opinions.
        settings = GPT2Config(**sizes, **drop, initializer_range=0.3, bos_token_id=0)
        settings.eos_token_id = None
        self.theirs = GPT2LMHeadModel(settings)
        self.config = SimpleNamespace(max_len=max_len)
        self.lengths: list[int] = []

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        self.lengths.append(tokens.shape[1])
        return self.theirs(tokens).logits


@pytest.fixture
def prompt() -> torch.Tensor:
    return torch.randint(V, (3, 5))


@pytest.mark.parametrize("top_k", [1, 2, 5, V, 1000])
def test_top_k_matches_transformers(top_k):
    logits = torch.randn(4, V).round(decimals=1)  # rounded, so that there are ties
    torch.testing.assert_close(keep_top_k(logits, top_k), TopKLogitsWarper(top_k)(None, logits))


@pytest.mark.parametrize("top_p", [1e-6, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("spread", [0.01, 1.0, 10.0])
def test_top_p_matches_transformers(top_p, spread):
    logits = spread * torch.randn(4, V)
    torch.testing.assert_close(keep_top_p(logits, top_p), TopPLogitsWarper(top_p)(None, logits))


def test_top_p_of_a_hand_worked_example():
    """Probabilities 0.5, 0.3, 0.15, 0.05: the first two make up 0.8, the first alone does not."""
    logits = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()
    kept = keep_top_p(logits, 0.75).isfinite()
    assert kept.tolist() == [False, True, False, True]


SCORES = st.one_of(
    st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=12),
    st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12),  # full of ties
)


@given(SCORES, st.integers(1, 15))
def test_top_k_of_any_scores(scores, top_k):
    """Nothing that is dropped is as good as the k-th best, and what stays is left alone."""
    kept = keep_top_k(torch.tensor([scores]), top_k)[0].tolist()
    kth_best = sorted(scores, reverse=True)[:top_k][-1]
    assert kept == [score if score >= kth_best else -float("inf") for score in scores]


@given(SCORES, st.floats(1e-6, 1 - 1e-6))
def test_top_p_of_any_scores(scores, top_p):
    """The likeliest tokens: together they reach the mass, and one fewer would not."""
    kept = keep_top_p(torch.tensor([scores]), top_p)[0].isfinite()
    shares = torch.tensor(scores, dtype=torch.float64).softmax(-1)
    inside, outside = shares[kept], shares[~kept]
    assert inside.sum() >= top_p - 1e-6
    assert inside.sum() - inside.min() <= top_p + 1e-6
    assert len(outside) == 0 or inside.min() >= outside.max()


@given(SCORES, st.integers(1, 12), st.floats(1e-6, 1.0), st.integers(-40, 40), st.integers(0, 9))
def test_next_token_of_any_scores(scores, top_k, top_p, shift, seed):
    """What is drawn has passed both filters; a constant added to all scores changes nothing."""
    logits = torch.tensor([scores]).round()  # so that adding a whole number is exact
    drawn = [
        next_token(
            moved, top_k=top_k, top_p=top_p, generator=torch.Generator().manual_seed(seed)
        ).item()
        for moved in (logits, logits + shift)
    ]
    assert drawn[0] == drawn[1]
    assert keep_top_p(keep_top_k(logits, top_k), top_p)[0, drawn[0]].isfinite()
    assert logits[0, next_token(logits, temperature=0.0).item()] == logits.max()


def test_next_token_draws_from_the_warped_distribution():
    """Ten thousand draws land where transformers' three warpers, in a row, put the mass."""
    row = 2.0 * torch.randn(1, V)
    expected = row
    for warper in (TemperatureLogitsWarper(0.8), TopKLogitsWarper(9), TopPLogitsWarper(0.9)):
        expected = warper(None, expected)

    draws = next_token(row.expand(10_000, V), temperature=0.8, top_k=9, top_p=0.9)
    frequency = draws.flatten().bincount(minlength=V) / 10_000

    torch.testing.assert_close(frequency, expected.softmax(-1)[0], atol=0.02, rtol=0)
    assert (frequency[expected[0].isinf()] == 0).all()


def test_greedy_matches_transformers(prompt):
    model = Wrapped().eval()
    expected = model.theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, do_sample=False
    )
    assert torch.equal(generate(model, prompt, 20, temperature=0.0), expected)


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, None, None), (0.7, 10, None), (1.3, 20, 0.8)]
)
def test_sampling_matches_transformers_draw_for_draw(prompt, temperature, top_k, top_p):
    model = Wrapped().eval()
    torch.manual_seed(7)
    expected = model.theirs.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=20,
        do_sample=True,
        temperature=temperature,
        top_k=top_k or 0,
        top_p=top_p or 1.0,
    )
    torch.manual_seed(7)
    actual = generate(model, prompt, 20, temperature=temperature, top_k=top_k, top_p=top_p)
    assert torch.equal(actual, expected)


def test_a_generator_makes_the_draw_repeatable_and_leaves_the_global_state_alone(prompt):
    model, state = Wrapped(), torch.get_rng_state()
    first, second = (
        generate(model, prompt, 8, generator=torch.Generator().manual_seed(1)) for _ in range(2)
    )
    other = generate(model, prompt, 8, generator=torch.Generator().manual_seed(2))

    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}])
def test_every_filter_narrows_down_to_greedy(prompt, narrow):
    model = Wrapped()
    expected = generate(model, prompt, 8, temperature=0.0)
    assert torch.equal(generate(model, prompt, 8, **narrow), expected)


def test_the_context_is_cropped_to_the_last_max_len_tokens(prompt):
    model = Wrapped(max_len=6)
    tokens = generate(model, prompt, 4, temperature=0.0)
    assert model.lengths == [5, 6, 6, 6]
    assert torch.equal(tokens[:, -1], model.theirs(tokens[:, 2:-1]).logits[:, -1].argmax(-1))


def test_dropout_sleeps_while_generating_and_wakes_up_after(prompt):
    model = Wrapped(dropout=0.5).train()
    model.theirs.lm_head.eval()
    outputs = [generate(model, prompt, 6, temperature=0.0) for _ in range(4)]

    assert all(torch.equal(tokens, outputs[0]) for tokens in outputs)
    assert model.training
    assert not model.theirs.lm_head.training


@pytest.mark.parametrize("seed", range(3))
def test_texts_stop_where_transformers_stops(prompt, seed):
    """A stop token in the prompt ends nothing; whoever stops first is filled up."""
    torch.manual_seed(seed)
    model, stop = Wrapped().eval(), 4
    model.theirs.lm_head = nn.Linear(16, V)
    model.theirs.lm_head.bias.data[stop] = 3.0  # likes to stop, at various lengths
    prompt[0, 2] = stop
    torch.manual_seed(seed)
    expected = model.theirs.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=25,
        do_sample=True,
        top_k=0,
        eos_token_id=stop,
        pad_token_id=stop,
    )
    torch.manual_seed(seed)
    texts = generate(model, prompt, 25, stop_token=stop)
    assert texts.shape[1] < 30
    assert torch.equal(texts, expected)


def test_no_text_stops_unless_asked_to(prompt):
    model = Wrapped()
    model.theirs.lm_head = nn.Linear(16, V)
    model.theirs.lm_head.bias.data[4] = 100.0
    assert (generate(model, prompt, 6)[:, 5:] == 4).all()
    assert generate(model, prompt, 6).shape == (3, 11)
    assert generate(model, prompt, 6, stop_token=4).shape == (3, 6)


def test_a_token_that_the_model_does_not_have_cannot_stop_it(prompt):
    model = Wrapped()
    with pytest.raises(ValueError, match="stop_token must be at least 0, got -1"):
        generate(model, prompt, 1, stop_token=-1)
    model.config.vocab_size = V
    with pytest.raises(ValueError, match=r"stop_token must be in 0\.\.36, got 37"):
        generate(model, prompt, 1, stop_token=V)


def test_no_new_tokens_gives_the_prompt_back(prompt):
    assert torch.equal(generate(Wrapped(), prompt, 0), prompt)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": -0.5}, "temperature must be at least 0 and finite, got -0.5"),
        ({"temperature": float("nan")}, "temperature must be at least 0 and finite, got nan"),
        ({"top_k": 0}, "top_k must be at least 1, got 0"),
        ({"top_p": 0.0}, r"top_p must be in \(0, 1\], got 0.0"),
        ({"top_p": 1.5}, r"top_p must be in \(0, 1\], got 1.5"),
        ({"max_new_tokens": -1}, "max_new_tokens must be at least 0, got -1"),
        (
            {"tokens": torch.zeros(1, 0, dtype=torch.long)},
            r"at least one token, got shape \(1, 0\)",
        ),
        ({"tokens": torch.zeros(5, dtype=torch.long)}, r"tokens must be \(B, T\).* shape \(5,\)"),
        ({"tokens": torch.zeros(1, 5)}, "tokens must be integers, got torch.float32"),
    ],
)
def test_impossible_requests_are_refused(prompt, change, message):
    arguments = {"tokens": prompt, "max_new_tokens": 0} | change
    with pytest.raises(ValueError, match=message):
        generate(Wrapped(), **arguments)
