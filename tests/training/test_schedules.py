"""Tests of bigmodel_lib/training/schedules.py."""

import math

import pytest
import torch
from transformers.optimization import get_cosine_schedule_with_warmup

from bigmodel_lib.training.schedules import constant, cosine, exponential, inverse_square_root


def test_constant_and_exponential():
    assert [constant()(step) for step in (0, 99)] == [1, 1]
    assert [exponential(10)(step) for step in (0, 10, 20)] == [1, 0.5, 0.25]


def test_exponential_is_torchs():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5 ** (1 / 7))
    for step in range(20):
        assert exponential(7)(step) == pytest.approx(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()


def test_cosine_is_transformers_after_the_warm_up():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = get_cosine_schedule_with_warmup(optimizer, 4, 20)
    ours = cosine(20, warmup=4)
    for step in range(25):
        # They start the warm-up at 0, we at 1 / warmup; from the peak on the two agree.
        expected = theirs.get_last_lr()[0] if 4 <= step < 20 else (step + 1) / 4 if step < 4 else 0
        assert ours(step) == pytest.approx(expected, abs=1e-12)
        optimizer.step()
        theirs.step()


def test_cosine_ends_at_the_floor_and_stays():
    schedule = cosine(10, floor=0.1)
    assert schedule(0) == 1
    assert schedule(5) == pytest.approx(0.55)
    assert schedule(10) == schedule(1000) == pytest.approx(0.1)


def test_inverse_square_root_is_the_papers_formula():
    """Vaswani et al. (2017), equation 3, divided by its peak; steps counted from 1 there."""
    warmup, d_model = 400, 512

    def paper(step):
        return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)

    for step in (1, 7, 400, 4000):
        expected = paper(step) / paper(warmup)
        assert inverse_square_root(warmup)(step - 1) == pytest.approx(expected)
    assert math.isclose(inverse_square_root(warmup)(1599), 0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cosine(10, warmup=10), r"warmup \(10\) must be .* below n_steps \(10\)"),
        (lambda: cosine(0), "n_steps must be at least 1, got 0"),
        (lambda: cosine(5, floor=2), r"floor must be in \[0, 1\], got 2"),
        (lambda: exponential(0), "half_life must be at least 1, got 0"),
    ],
)
def test_impossible_schedules_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
