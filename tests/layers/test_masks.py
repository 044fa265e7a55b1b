"""Tests of bigmodel_lib/layers/masks.py."""

import pytest
import torch

from bigmodel_lib.layers.masks import (
    causal_mask,
    check_mask,
    padding_mask,
    sliding_window_mask,
)

YES, NO = True, False


def test_three_tokens():
    expected = torch.tensor([[YES, NO, NO], [YES, YES, NO], [YES, YES, YES]])
    assert torch.equal(causal_mask(3), expected)


def test_two_tokens_after_two_that_are_cached():
    expected = torch.tensor([[YES, YES, YES, NO], [YES, YES, YES, YES]])
    assert torch.equal(causal_mask(2, offset=2), expected)


@pytest.mark.parametrize(("n_tokens", "offset"), [(1, 0), (1, 7), (3, 4), (7, 0), (0, 3)])
def test_with_an_offset_it_is_the_end_of_the_long_mask(n_tokens, offset):
    """What a cache must reproduce: the last rows of the mask of the whole sequence."""
    whole = causal_mask(offset + n_tokens)
    assert torch.equal(causal_mask(n_tokens, offset=offset), whole[offset:])

    whole = sliding_window_mask(offset + n_tokens, 3)
    assert torch.equal(sliding_window_mask(n_tokens, 3, offset=offset), whole[offset:])


def test_window_of_two():
    expected = torch.tensor([[YES, NO, NO], [YES, YES, NO], [NO, YES, YES]])
    assert torch.equal(sliding_window_mask(3, 2), expected)


@pytest.mark.parametrize("window", [7, 8, 100])
def test_a_window_as_long_as_the_text_is_causal(window):
    assert torch.equal(sliding_window_mask(7, window), causal_mask(7))


def test_padding_on_either_side():
    lengths = torch.tensor([3, 1, 0])
    right = torch.tensor([[YES, YES, YES], [YES, NO, NO], [NO, NO, NO]])
    left = torch.tensor([[YES, YES, YES], [NO, NO, YES], [NO, NO, NO]])

    assert torch.equal(padding_mask(lengths, 3), right[:, None, None, :])
    assert torch.equal(padding_mask(lengths, 3, side="left"), left[:, None, None, :])


def test_masks_combine():
    both = padding_mask(torch.tensor([2]), 3) & causal_mask(3)
    expected = torch.tensor([[YES, NO, NO], [YES, YES, NO], [YES, YES, NO]])
    assert torch.equal(both, expected[None, None])


def test_made_on_the_device_that_is_asked_for():
    meta = torch.device("meta")
    assert causal_mask(3, meta).is_meta
    assert sliding_window_mask(3, 2, meta).is_meta
    assert padding_mask(torch.empty(2, dtype=torch.long, device="meta"), 3).is_meta


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: causal_mask(-1), "n_tokens must be at least 0, got -1"),
        (lambda: causal_mask(2, offset=-1), "offset must be at least 0, got -1"),
        (lambda: sliding_window_mask(3, 0), "window must be at least 1, got 0"),
        (lambda: padding_mask(torch.tensor([4]), 3), r"lengths must be in 0\.\.3, got 4\.\.4"),
        (lambda: padding_mask(torch.tensor([2, -1]), 3), r"must be in 0\.\.3, got -1\.\.2"),
        (lambda: padding_mask(torch.tensor([1.0]), 3), r"got torch\.float32 \(1,\)"),
        (lambda: padding_mask(torch.tensor([[1]]), 3), r"got torch\.int64 \(1, 1\)"),
        (lambda: padding_mask(torch.tensor([1]), 3, side="top"), "'left' or 'right', got 'top'"),
        (lambda: check_mask(torch.ones(2, 2), (1, 1, 2, 2)), r"boolean.*got torch\.float32"),
        (
            lambda: check_mask(causal_mask(3), (1, 1, 2, 2)),
            r"attn_mask of shape \(3, 3\) does not broadcast to \(B, H, T, S\) = \(1, 1, 2, 2\)",
        ),
        (lambda: check_mask(causal_mask(2)[None, None, None], (1, 1, 2, 2)), "not broadcast"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("shape", [(), (5,), (3, 5), (1, 1, 5), (2, 1, 1, 5), (2, 4, 3, 5)])
def test_whatever_broadcasts_is_a_mask(shape):
    check_mask(torch.ones(shape, dtype=torch.bool), (2, 4, 3, 5))
