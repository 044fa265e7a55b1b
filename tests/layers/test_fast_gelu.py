"""Tests of bigmodel_lib/layers/fast_gelu.py."""

import pytest
import torch
from torch.nn import functional as F

from bigmodel_lib.layers.fast_gelu import gelu_tanh


@pytest.mark.parametrize("is_compiling", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_forms_are_pytorchs_curve_in_value_and_slope(
    is_compiling, dtype, monkeypatch, assert_parity
):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: is_compiling)
    ours = torch.cat([torch.linspace(-9, 9, 301), torch.tensor([0.0, -300, 300])])
    ours = ours.to(dtype).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()

    assert_parity(gelu_tanh(ours), F.gelu(theirs, approximate="tanh"), [(ours, theirs)])
