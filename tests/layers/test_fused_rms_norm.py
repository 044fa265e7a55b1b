"""Tests of bigmodel_lib/layers/fused_rms_norm.py: it is the equation, computed otherwise."""

import pytest
import torch
from torch import nn

from bigmodel_lib.layers.fused_rms_norm import fused_rms_norm
from bigmodel_lib.layers.norms import rms_norm


def inputs(*sizes: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(sizes, dtype=dtype, requires_grad=True)
    return x, torch.randn(sizes[-1], dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("sizes", [(2, 3, 7), (7,), (1, 1, 1), (2, 256, 384)])
@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_is_the_equation_and_that_of_torch(sizes, eps, assert_parity):
    x, weight = inputs(*sizes)
    y, wrt = fused_rms_norm(x, weight, eps), [(x, x), (weight, weight)]

    assert_parity(y, rms_norm(x, weight, eps), wrt)
    assert_parity(y, nn.functional.rms_norm(x, weight.shape, weight, eps), wrt)
    with torch.no_grad():
        torch.testing.assert_close(fused_rms_norm(x, weight, eps), y)


def test_input_need_not_be_contiguous(assert_parity):
    x, weight = inputs(2, 5, 3)
    x, weight = x.mT, torch.randn(5, requires_grad=True)
    y = fused_rms_norm(x, weight, 1e-6)
    assert_parity(y, rms_norm(x, weight), [(x, x), (weight, weight)])


def test_gradcheck():
    assert torch.autograd.gradcheck(
        lambda x, w: fused_rms_norm(x, w, 0.1), inputs(4, 3, dtype=torch.float64)
    )


def test_per_example_gradients():
    x, weight = inputs(4, 5, 3)
    loss = lambda w, x: fused_rms_norm(x, w, 1e-6).pow(3).sum()  # noqa: E731
    slow = lambda w, x: rms_norm(x, w).pow(3).sum()  # noqa: E731
    ours, theirs = (torch.func.vmap(torch.func.grad(f), (None, 0))(weight, x) for f in (loss, slow))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("weight_dtype", ["same", torch.float32])
def test_half_precision_is_averaged_in_float32(dtype, weight_dtype):
    """The squares of these numbers overflow float16, and bfloat16 would lose a long sum."""
    x = (300 * torch.randn(2, 1000)).to(dtype).requires_grad_()
    weight = torch.ones(1000, dtype=dtype if weight_dtype == "same" else weight_dtype)
    weight.requires_grad_()

    y = fused_rms_norm(x, weight, 1e-6)
    y.sum().backward()

    assert y.dtype == x.grad.dtype == dtype
    assert weight.grad.dtype == weight.dtype
    with torch.no_grad():
        torch.testing.assert_close(fused_rms_norm(x, weight, 1e-6), y, rtol=1e-2, atol=1e-2)
    expected = rms_norm(x.detach().double(), weight.detach().double())
    torch.testing.assert_close(y.double(), expected, rtol=1e-2, atol=1e-2)


def test_a_second_derivative_is_refused_rather_than_wrong():
    x, weight = inputs(2, 3)
    (first,) = torch.autograd.grad(
        fused_rms_norm(x, weight, 1e-6).pow(2).sum(), weight, create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_other_devices_use_the_kernel():
    x = torch.empty(2, 3, 5, device="meta", dtype=torch.bfloat16)
    y = fused_rms_norm(x, torch.empty(5, device="meta"), 1e-6)
    assert (y.shape, y.dtype, y.is_meta) == (x.shape, x.dtype, True)
