"""Tests of bigmodel_lib/training/optimizers.py."""

import copy

import pytest
import torch
from torch import nn

from bigmodel_lib.training.optimizers import SGD, Adam, AdamW, decay_groups

CASES = {
    "descent": (SGD, torch.optim.SGD, {"lr": 0.1}),
    "momentum": (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "momentum and decay": (
        SGD,
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.1},
    ),
    "adam": (Adam, torch.optim.Adam, {"lr": 0.01}),
    "adam and L2": (Adam, torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw": (
        AdamW,
        torch.optim.AdamW,
        {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1},
    ),
}


def train(model, optimizer, n_steps, x, y):
    for _ in range(n_steps):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("case", CASES)
def test_follows_torch_optim_step_for_step(case):
    ours, theirs, settings = CASES[case]
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).double()
    reference = copy.deepcopy(model)
    x, y = torch.randn(11, 5).double(), torch.randn(11, 3).double()
    train(model, ours(model.parameters(), **settings), 20, x, y)
    train(reference, theirs(reference.parameters(), **settings), 20, x, y)

    for p, q in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-10, atol=1e-12)


def test_one_step_of_adam_by_hand():
    """After one step m̂ = g and √v̂ = |g|: the first step has length lr whatever the gradient."""
    p = nn.Parameter(torch.tensor([1.0, 1.0]))
    p.grad = torch.tensor([1000.0, -0.001])
    Adam([p], lr=0.1).step()

    torch.testing.assert_close(p.detach(), torch.tensor([0.9, 1.1]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("case", CASES)
def test_saved_state_continues_exactly(case):
    ours, _, settings = CASES[case]
    model = nn.Linear(5, 3)
    x, y = torch.randn(11, 5), torch.randn(11, 3)
    optimizer = ours(model.parameters(), **settings)
    train(model, optimizer, 3, x, y)
    twin = copy.deepcopy(model)
    resumed = ours(twin.parameters(), **settings)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(model, optimizer, 3, x, y)
    train(twin, resumed, 3, x, y)

    assert torch.equal(model.weight, twin.weight)
    assert torch.equal(model.bias, twin.bias)


def test_a_parameter_without_gradient_stays():
    p = nn.Parameter(torch.ones(2))
    AdamW([p], lr=0.1, weight_decay=0.5).step()

    assert torch.equal(p, torch.ones(2))


def test_norms_and_biases_are_not_decayed():
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    decayed, spared = decay_groups(model, 0.1)

    assert [p.shape for p in decayed["params"]] == [(4, 4)]
    assert decayed["weight_decay"] == 0.1
    assert len(spared["params"]) == 3
    assert spared["weight_decay"] == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: SGD(p, lr=-5), "learning rate must be positive, got -5"),
        (lambda p: SGD(p, lr=float("nan")), "learning rate must be positive, got nan"),
        (lambda p: SGD(p, lr=0.1, momentum=1.0), r"momentum must be in \[0, 1\), got 1.0"),
        (lambda p: Adam(p, betas=(0.9, 1.5)), r"beta2 must be in \[0, 1\), got 1.5"),
        (lambda p: AdamW(p, weight_decay=-1), "weight_decay must not be negative, got -1"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make([nn.Parameter(torch.zeros(1))])
