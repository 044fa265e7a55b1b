"""Tests of bigmodel_lib/training/batches.py."""

import pytest
import torch

from bigmodel_lib.training.batches import ShuffledBatches, TokenBatches


def test_windows_are_pieces_of_the_text():
    batches = TokenBatches(torch.arange(100), 8, 5)
    (windows,) = batches(3)

    assert windows.shape == (8, 5)
    assert torch.equal(windows - windows[:, :1], torch.arange(5).expand(8, 5))


def test_every_window_can_be_drawn():
    batches = TokenBatches(torch.arange(7), 16, 5)
    starts = torch.cat([batches(step)[0][:, 0] for step in range(20)])

    assert set(starts.tolist()) == {0, 1, 2}


def test_an_epoch_holds_every_example_once_and_the_next_has_another_order():
    x = torch.arange(12)
    batches = ShuffledBatches(x, 10 * x, batch_size=4)
    first, second = ([batches(3 * epoch + i) for i in range(3)] for epoch in range(2))

    assert torch.equal(torch.cat([b[0] for b in first]).sort().values, x)
    assert not torch.equal(torch.cat([b[0] for b in first]), torch.cat([b[0] for b in second]))
    assert all(torch.equal(10 * inputs, targets) for inputs, targets in first + second)


def make_tokens(**share):
    return TokenBatches(torch.arange(50), 6, 4, seed=5, **share)


def make_shuffled(**share):
    return ShuffledBatches(torch.arange(50), batch_size=6, seed=5, **share)


@pytest.mark.parametrize("make", [make_tokens, make_shuffled])
def test_a_step_is_the_same_whenever_it_is_asked_for(make):
    torch.manual_seed(1)
    before = make()(17)
    torch.manual_seed(2)
    make()(3)

    assert torch.equal(make()(17)[0], before[0])
    assert not torch.equal(make()(18)[0], before[0])


@pytest.mark.parametrize("make", [make_tokens, make_shuffled])
def test_the_shares_of_all_processes_make_up_the_batch(make):
    shares = [make(rank=rank, world=3)(4)[0] for rank in range(3)]

    assert torch.equal(torch.cat(shares), make()(4)[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TokenBatches(torch.arange(3), 2, 4), r"at least 4 tokens, got shape \(3,\)"),
        (lambda: TokenBatches(torch.arange(9), 3, 4, world=2), r"batch_size \(3\) .* \(2\)"),
        (lambda: TokenBatches(torch.arange(9), 2, 4, rank=2, world=2), r"\[0, 2\), got 2"),
        (lambda: ShuffledBatches(torch.arange(3), batch_size=4), "3 examples are fewer than"),
        (
            lambda: ShuffledBatches(torch.arange(3), torch.arange(4), batch_size=2),
            r"same number of examples, got \[3, 4\]",
        ),
    ],
)
def test_impossible_batches_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
