"""Tests of bigmodel_lib/accounting/flops.py."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bigmodel_lib.accounting.flops import (
    attention_flops,
    convolution_flops,
    count_flops,
    decoder_flops,
    linear_flops,
    training_flops,
)
from bigmodel_lib.accounting.parameters import count_parameters, meta_model
from bigmodel_lib.configs.gpt import GPT2_SMALL, GPT3_175B, GPTConfig
from bigmodel_lib.configs.llama import LlamaConfig
from bigmodel_lib.configs.resnet import RESNET50
from bigmodel_lib.configs.vgg import VGG16
from bigmodel_lib.generation.cache import cache_for
from bigmodel_lib.layers.attention import MultiHeadAttention
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama
from bigmodel_lib.models.resnet import ResNet
from bigmodel_lib.models.vgg import VGG

SMALL_GPT = GPTConfig(vocab_size=101, max_len=64, n_layers=3, n_heads=2, d_model=22, d_ff=37)
SMALL_LLAMA = LlamaConfig(
    vocab_size=101, max_len=64, n_layers=3, n_heads=6, n_kv_heads=2, d_model=24, d_ff=37
)


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(*shape, dtype=torch.long)


def test_a_product_counted_on_paper():
    """(2, 3) times (3, 4): eight numbers, each three products and (from zero) three sums."""
    assert linear_flops(2, 3, 4) == 8 * (3 + 3)


def test_linear_matches_the_counter():
    assert linear_flops(5 * 7, 11, 13) == count_flops(
        lambda: nn.Linear(11, 13)(torch.ones(5, 7, 11))
    )


@pytest.mark.parametrize(("kernel_size", "stride", "padding"), [(1, 1, 0), (3, 2, 1), (7, 3, 2)])
def test_convolution_matches_the_counter(kernel_size, stride, padding):
    def run():
        conv = nn.Conv2d(5, 11, kernel_size, stride=stride, padding=padding)
        return conv(torch.ones(2, 5, 23, 19))

    y = meta_model(lambda: nn.Conv2d(5, 11, kernel_size, stride=stride, padding=padding))(
        torch.ones(2, 5, 23, 19, device="meta")
    )
    n_pixels = 2 * y.shape[2] * y.shape[3]
    assert convolution_flops(n_pixels, 5, 11, kernel_size) == count_flops(run)


def test_attention_matches_the_counter():
    projections = 4 * linear_flops(2 * 9, 24, 24)
    counted = count_flops(lambda: MultiHeadAttention(24, 3)(torch.ones(2, 9, 24)))
    assert counted == projections + 2 * attention_flops(9, 9, 3, 8)


@pytest.mark.parametrize(
    ("model", "config"),
    [
        (GPT, SMALL_GPT),
        (Llama, SMALL_LLAMA),
        (Llama, replace(SMALL_LLAMA, n_kv_heads=1)),
        (GPT, GPT2_SMALL),
    ],
    ids=["GPT", "Llama", "Llama, one key-value head", "GPT-2"],
)
@pytest.mark.parametrize("n_tokens", [1, 13, 64])
def test_decoder_matches_the_counter(model, config, n_tokens):
    counted = count_flops(lambda: model(config)(zeros(1, n_tokens)))
    assert decoder_flops(config, n_tokens) == counted


@pytest.mark.parametrize(("model", "config"), [(GPT, SMALL_GPT), (Llama, SMALL_LLAMA)])
def test_cached_decoding_matches_the_counter(model, config):
    built = meta_model(lambda: model(config))
    cache = cache_for(built, 1, 20)
    built(zeros(1, 17).to("meta"), cache=cache)
    counted = count_flops(lambda: built(zeros(1, 3), cache=cache))
    assert decoder_flops(config, 3, n_before=17) == counted


def test_going_back_costs_twice_going_forward():
    """Every product has two operands, and a gradient for each is one more product."""
    forward = decoder_flops(SMALL_GPT, 32)
    counted = count_flops(lambda: GPT(SMALL_GPT)(zeros(1, 32)).sum().backward())
    assert counted == 3 * forward


def test_six_n_d_is_close_for_a_large_model_and_a_short_text():
    """GPT-3: within 3 % of the full count; the paper's table D.1 says 3.14e23 for 300 billion."""
    n = count_parameters(meta_model(lambda: GPT(GPT3_175B)))
    full = 3 * decoder_flops(GPT3_175B, 2_048)
    assert training_flops(n, 2_048) == pytest.approx(full, rel=0.03)
    assert training_flops(n, 300e9) == pytest.approx(3.14e23, rel=0.01)


@pytest.mark.parametrize(
    ("build", "giga_products"), [(lambda: VGG(VGG16), 15.47), (lambda: ResNet(RESNET50), 4.09)]
)
def test_image_networks_cost_what_torchvision_lists(build, giga_products):
    """torchvision counts a multiplication with its addition once, per 224×224 image."""
    flops = count_flops(lambda: build()(torch.zeros(1, 3, 224, 224)))
    assert flops / 2e9 == pytest.approx(giga_products, abs=0.01)
