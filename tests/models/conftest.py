"""Hold a model of ours to a model that we did not write."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bigmodel_lib.weights.files import tied_names

Run = Callable[[nn.Module], Tensor]
Rename = Callable[[nn.Module, dict[str, Tensor]], dict[str, Tensor]]


def _agree(ours: nn.Module, theirs: nn.Module, rename: Rename, run: Run, run_theirs: Run) -> None:
    """Same weights, same input: same output, and the same gradient of every parameter to 1e-5.

    Biases and norms, which start at zero and one, are moved away from there, so that a missing
    one is seen. The loss weighs every output differently. `rename` puts our tensors, values or
    gradients, under their names.
    """
    for parameter in ours.parameters():
        nn.init.normal_(parameter, mean=0.1, std=0.3)
    ties = tied_names(ours)
    state = {name: tensor for name, tensor in ours.state_dict().items() if name not in ties}
    lost = theirs.load_state_dict(rename(ours, state), strict=False)
    assert not lost.unexpected_keys

    actual, expected = run(ours.eval()), run_theirs(theirs.eval())
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)

    weights = torch.randn_like(expected) / expected.numel() ** 0.5
    (actual * weights).sum().backward()
    (expected * weights).sum().backward()
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    renamed = rename(ours, gradients)
    expected_gradients = {n: p.grad for n, p in theirs.named_parameters()}
    assert renamed.keys() == expected_gradients.keys()
    for name, gradient in renamed.items():
        reference = expected_gradients[name]
        scale = max(1.0, reference.abs().max().item())
        torch.testing.assert_close(
            gradient / scale,
            reference / scale,
            rtol=1e-5,
            atol=1e-5,
            msg=lambda m, n=name: f"{n}: {m}",
        )


@pytest.fixture
def assert_agree() -> Callable[..., None]:
    return _agree


class GrowingCache:
    """The plainest cache that keeps the attention layers' contract: it concatenates."""

    def __init__(self) -> None:
        self.keys: dict[int, Tensor] = {}
        self.values: dict[int, Tensor] = {}

    @property
    def length(self) -> int:
        return self.keys[0].shape[2] if self.keys else 0

    def update(self, layer_index: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        for held, new in ((self.keys, k), (self.values, v)):
            held[layer_index] = torch.cat([held.get(layer_index, new[:, :, :0]), new], dim=2)
        return self.keys[layer_index], self.values[layer_index]


@pytest.fixture
def growing_cache() -> GrowingCache:
    return GrowingCache()
