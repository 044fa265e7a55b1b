"""What every test of a layer asks of a reference: the same numbers, the same gradients."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F


@pytest.fixture
def assert_parity() -> Callable[..., None]:
    """Return `check(y, expected, wrt)`: outputs agree at 1e-5, and so do all gradients.

    `wrt` pairs each of our tensors with the reference's; both must receive a gradient.
    """

    def check(y: Tensor, expected: Tensor, wrt: list[tuple[Tensor, Tensor]]) -> None:
        torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-5)
        # Of length one, so that a gradient summed over many positions stays near one.
        direction = F.normalize(torch.randn_like(expected).flatten(), dim=0)
        direction = direction.view_as(expected)
        ours = torch.autograd.grad(y, [a for a, _ in wrt], direction, retain_graph=True)
        theirs = torch.autograd.grad(expected, [b for _, b in wrt], direction, retain_graph=True)
        for gradient, wanted in zip(ours, theirs, strict=True):
            torch.testing.assert_close(gradient, wanted, rtol=1e-5, atol=1e-5)
            assert wanted.any(), "the reference has no gradient here: the comparison says nothing"

    return check
