"""Tests of bigmodel_lib/models/checks.py."""

import pytest
import torch

from bigmodel_lib.models.checks import check_tokens


def test_a_sequence_of_the_longest_length_passes():
    check_tokens(torch.zeros(1, 3, dtype=torch.long), 5, offset=2)


@pytest.mark.parametrize(
    ("shape", "offset", "message"),
    [
        ((1, 6), 0, "got 6 tokens, but max_len is 5"),
        ((1, 3), 3, "got 3 tokens after 3 in the cache, but max_len is 5"),
        ((0, 3), 0, r"tokens must hold at least one token, got shape \(0, 3\)"),
        ((2, 0), 0, r"tokens must hold at least one token, got shape \(2, 0\)"),
        ((3,), 0, r"tokens must have shape \(B, T\), got \(3,\)"),
    ],
)
def test_what_cannot_be_read_is_refused(shape, offset, message):
    with pytest.raises(ValueError, match=message):
        check_tokens(torch.zeros(shape, dtype=torch.long), 5, offset=offset)
