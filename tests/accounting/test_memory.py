"""Tests of bigmodel_lib/accounting/memory.py."""

import os
import subprocess
import sys
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from bigmodel_lib.accounting.memory import (
    LiveBytes,
    cache_bytes,
    measure_peak,
    predict_training_memory,
    saved_for_backward,
    training_step,
)
from bigmodel_lib.configs.mlp import MLPConfig
from bigmodel_lib.configs.vgg import VGGConfig
from bigmodel_lib.models.mlp import MLP
from bigmodel_lib.models.vgg import VGG

SGD = partial(torch.optim.SGD, lr=1e-3)
MOMENTUM = partial(torch.optim.SGD, lr=1e-3, momentum=0.9)
ADAMW = partial(torch.optim.AdamW, lr=1e-3)


def build_gpt(vocab_size: int) -> nn.Module:
    sizes = {"n_embd": 96, "n_layer": 3, "n_head": 3, "n_positions": 64}
    return GPT2LMHeadModel(GPT2Config(**sizes, vocab_size=vocab_size, use_cache=False))


def gpt_loss(model: nn.Module, batch: int = 4) -> torch.Tensor:
    vocab_size = model.config.vocab_size
    logits = model(torch.randint(vocab_size, (batch, 64))).logits
    return F.cross_entropy(logits.flatten(0, 1), torch.randint(vocab_size, (batch * 64,)))


def image_loss(model: nn.Module, batch: int, shape: tuple[int, ...]) -> torch.Tensor:
    return F.cross_entropy(model(torch.randn(batch, *shape)), torch.randint(10, (batch,)))


CASES = {
    "GPT": (lambda: build_gpt(211), gpt_loss),
    "GPT, mostly vocabulary": (lambda: build_gpt(4_000), gpt_loss),
    "GPT, one sequence": (lambda: build_gpt(211), partial(gpt_loss, batch=1)),
    "MLP, mostly parameters": (
        lambda: MLP(MLPConfig(widths=(784, 512, 10))),
        partial(image_loss, batch=8, shape=(784,)),
    ),
    "MLP, mostly activations": (
        lambda: MLP(MLPConfig(widths=(784, 512, 10))),
        partial(image_loss, batch=2_048, shape=(784,)),
    ),
    "VGG": (
        lambda: VGG(
            VGGConfig(depths=(2, 2), channels=(32, 64), image_size=32, d_hidden=128, n_classes=10)
        ),
        partial(image_loss, batch=16, shape=(3, 32, 32)),
    ),
}


@pytest.mark.parametrize("make_optimizer", [SGD, MOMENTUM, ADAMW], ids=["sgd", "momentum", "adamw"])
@pytest.mark.parametrize("case", CASES)
def test_prediction_is_within_15_percent_of_what_the_allocator_saw(case, make_optimizer):
    build, loss = CASES[case]

    def run():
        model = build()
        optimizer = make_optimizer(model.parameters())
        for _ in range(2):
            training_step(model, loss, optimizer)

    predicted = predict_training_memory(build, loss, make_optimizer)
    assert predicted.peak == pytest.approx(measure_peak(run), rel=0.15)


@pytest.mark.parametrize(("make_optimizer", "n_states"), [(SGD, 0), (MOMENTUM, 1), (ADAMW, 2)])
def test_the_four_parts_of_a_small_network_worked_by_hand(make_optimizer, n_states):
    """784-512-10 on 8 images: the input, the ReLU's output, the log-probabilities and labels."""
    n = 784 * 512 + 512 + 512 * 10 + 10
    memory = predict_training_memory(*CASES["MLP, mostly parameters"], make_optimizer)

    assert memory.parameters == memory.gradients == 4 * n
    assert memory.optimizer == pytest.approx(4 * n_states * n, abs=64)  # and AdamW's step counts
    small = 8 * 8 + 4  # labels of 8 bytes, the total weight of the loss
    assert memory.activations == 4 * 8 * (784 + 512 + 10) + small


def test_a_model_of_a_terabyte_is_predicted_without_a_byte():
    """70 billion parameters: 16 bytes each with AdamW, before any activation."""

    def build():
        return nn.Sequential(*(nn.Linear(26_500, 26_500, bias=False) for _ in range(100)))

    memory = predict_training_memory(build, lambda model: model(torch.ones(1, 26_500)).sum())
    n = 100 * 26_500**2
    assert memory.parameters + memory.gradients + memory.optimizer == pytest.approx(16 * n)
    assert memory.peak > 1e12


def test_frozen_parameters_have_no_gradient_and_no_state():
    def build():
        model = MLP(MLPConfig(widths=(64, 32, 10)))
        model.layers[1].requires_grad_(False)
        return model

    memory = predict_training_memory(build, partial(image_loss, batch=2, shape=(64,)), MOMENTUM)
    assert memory.parameters == 4 * (64 * 32 + 32 + 32 * 10 + 10)
    assert memory.gradients == memory.optimizer == 4 * (32 * 10 + 10)


def test_saved_tensors_count_once_and_parameters_not_at_all():
    """One input read by two linear maps is kept once; tanh keeps its output, two of them."""
    left, right = nn.Linear(5, 7), nn.Linear(5, 7)
    x = torch.randn(3, 5, requires_grad=True)
    kept = saved_for_backward(
        nn.ModuleList([left, right]), lambda: left(x).tanh().sum() + right(x).tanh().sum()
    )
    assert kept == 4 * (3 * 5 + 2 * 3 * 7)


def test_live_bytes_of_a_hand_worked_example():
    """Two matrices of 4 kB live together, then one is dropped before a third is made."""
    with LiveBytes() as live:
        a = torch.zeros(1_000)
        b = a + 1
        del a
        c = b.view(10, 100)
        d = c * 2
    assert (live.peak, live.held) == (8_000, 8_000)
    del b, c, d
    assert live.held == 0


def test_measured_peak_of_a_hand_worked_example():
    def run():
        a = torch.zeros(1_000_000)
        b = a + 1
        del a
        return (b * 2).sum()

    assert measure_peak(run) == pytest.approx(8_000_000, abs=1_000)
    assert measure_peak(lambda: torch.zeros(10)) < 1_000  # the measurement leaves nothing behind


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_measured_peak_agrees_with_the_operating_system():
    """A fresh process grows by what the allocator says, within 15 %."""
    code = """
import re, torch
from pathlib import Path
from torch import nn
from bigmodel_lib.accounting.memory import measure_peak
def resident(line):
    return 1024 * int(re.search(line + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
def run(n):
    model = nn.Sequential(nn.Linear(n, n), nn.ReLU(), nn.Linear(n, n))
    model(torch.randn(2 * n, n)).square().sum().backward()
run(8), measure_peak(lambda: run(8))  # everything that is loaded on first use
before = resident("VmRSS")
run(1536)
print(resident("VmHWM") - before, measure_peak(lambda: run(1536)))
"""
    # The C library may keep what is freed; from a megabyte up it gives it back at once.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "1000000"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=environment
    )
    grown, recorded = map(int, result.stdout.split()[-2:])
    assert recorded == pytest.approx(grown, rel=0.15)


def test_cache_of_llama_2_70b():
    """80 layers, 8 key-value heads of 128, two bytes: 320 kB a token, 1.25 GB for 4,096."""
    sizes = {"n_layers": 80, "n_kv_heads": 8, "d_head": 128, "dtype": torch.bfloat16}
    assert cache_bytes(1, **sizes) == 2 * 80 * 8 * 128 * 2
    assert cache_bytes(4_096, **sizes) == 1.25 * 2**30
    assert cache_bytes(4_096, batch=3, **sizes) == 3.75 * 2**30
