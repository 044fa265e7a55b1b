"""Tests of bigmodel_lib/training/objectives.py."""

import math

import pytest
import torch
from torch.nn import functional as F

from bigmodel_lib.training.objectives import cross_entropy, mean_squared_error, next_token_loss


def test_mean_squared_error_by_hand():
    loss = mean_squared_error(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 4.0, 1.0]))
    assert loss.item() == pytest.approx((0 + 4 + 9) / 3)


def test_an_undecided_classifier_is_surprised_by_log_v():
    assert cross_entropy(torch.zeros(3, 10), torch.tensor([1, 5, 9])).item() == pytest.approx(
        math.log(10)
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_the_mean_negative_log_probability(smoothing):
    logits = torch.randn(2, 3, 7, dtype=torch.double)
    targets = torch.tensor([[0, 6, -100], [3, -100, 2]])
    log_p = logits.log_softmax(-1)
    surprise = [
        -(1 - smoothing) * log_p[b, t, targets[b, t]] - smoothing * log_p[b, t].mean()
        for b in range(2)
        for t in range(3)
        if targets[b, t] >= 0
    ]

    torch.testing.assert_close(
        cross_entropy(logits, targets, label_smoothing=smoothing), torch.stack(surprise).mean()
    )


def test_next_token_loss_shifts_by_one():
    """A model that always predicts token + 1 is right on the sequence 0 1 2 3."""
    tokens = torch.tensor([[0, 1, 2, 3]])
    logits = 50.0 * F.one_hot(tokens + 1, 5).float()

    assert next_token_loss(logits, tokens).item() == pytest.approx(0.0, abs=1e-6)
    assert next_token_loss(50.0 * F.one_hot(tokens, 5).float(), tokens).item() > 40


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mean_squared_error(torch.zeros(4, 1), torch.zeros(4)),
            r"predictions \(4, 1\) and targets \(4,\) must have the same shape",
        ),
        (
            lambda: cross_entropy(torch.zeros(2, 3), torch.tensor([0, 3])),
            r"target ids must be in \[0, 3\), got 3",
        ),
        (
            lambda: cross_entropy(torch.zeros(2, 3), torch.tensor([-1, 2])),
            r"target ids must be in \[0, 3\), got -1",
        ),
        (
            lambda: cross_entropy(torch.zeros(2, 3), torch.full((2,), -100)),
            "no target counts: all 2 are -100",
        ),
        (
            lambda: cross_entropy(torch.zeros(2, 3), torch.zeros(3, dtype=torch.long)),
            r"logits \(2, 3\) need targets of shape \(2,\), got \(3,\)",
        ),
        (
            lambda: cross_entropy(torch.zeros(2, 3), torch.zeros(2)),
            r"class ids \(integers\), got torch.float32",
        ),
        (
            lambda: cross_entropy(
                torch.zeros(2, 3), torch.zeros(2, dtype=torch.long), label_smoothing=1.0
            ),
            r"label_smoothing must be in \[0, 1\), got 1.0",
        ),
        (
            lambda: next_token_loss(torch.zeros(1, 1, 3), torch.zeros(1, 1, dtype=torch.long)),
            "need at least 2 tokens to have a next one, got 1",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
