"""Tests of bigmodel_lib/accounting/parameters.py."""

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from bigmodel_lib.accounting.parameters import count_parameters, meta_model, parameters_by_part


class Tied(nn.Module):
    """An embedding that is also the output head, a scale of its own and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.token_embed = nn.Embedding(10, 4)
        self.hidden = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 4))
        self.to_logits = nn.Linear(4, 10, bias=False)
        self.to_logits.weight = self.token_embed.weight
        self.register_buffer("positions", torch.zeros(100))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_counts_a_network_added_up_by_hand(device):
    with torch.device(device):
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    assert count_parameters(model) == 784 * 128 + 128 + 128 * 10 + 10


def test_a_shared_tensor_counts_once_and_a_buffer_not_at_all():
    assert count_parameters(Tied()) == 3 + 10 * 4 + (4 * 6 + 6) + (6 * 4 + 4)


def test_frozen_parameters_can_be_left_out():
    model = Tied()
    model.hidden.requires_grad_(False)
    assert count_parameters(model, trainable_only=True) == 3 + 10 * 4


def test_counts_the_whole_gpt2_as_transformers_does():
    """transformers builds GPT-2 (124 million) with its head tied to its embedding."""
    model = meta_model(lambda: GPT2LMHeadModel(GPT2Config()))
    block = (768 * 3 * 768 + 3 * 768) + (768 * 768 + 768) + 8 * 768 * 768 + 5 * 768 + 4 * 768
    assert count_parameters(model) == model.num_parameters()
    assert count_parameters(model) == (50_257 + 1_024) * 768 + 12 * block + 2 * 768


def test_parts_add_up_to_the_whole():
    model = Tied()
    assert parameters_by_part(model) == {"scale": 3, "token_embed": 40, "hidden": 58}
    assert parameters_by_part(model, depth=2) == {
        "scale": 3,
        "token_embed": 40,
        "hidden.0": 30,
        "hidden.1": 28,
    }
    assert sum(parameters_by_part(model, depth=9).values()) == count_parameters(model)


def test_depth_zero_is_refused():
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        parameters_by_part(Tied(), depth=0)


def test_meta_model_allocates_nothing():
    """A trillion parameters: four terabytes if they were real."""
    model = meta_model(lambda: nn.Linear(1_000_000, 1_000_000, bias=False))
    assert model.weight.is_meta
    assert count_parameters(model) == 10**12


def test_a_tensor_that_escapes_the_meta_device_is_named():
    def build():
        model = Tied()
        model.positions = torch.zeros(100, device="cpu")
        return model

    with pytest.raises(ValueError, match="positions was built on cpu, not on the meta device"):
        meta_model(build)
