"""Tests of bigmodel_lib/training/pretraining.py."""

import math
from dataclasses import replace

import pytest
import torch

from bigmodel_lib.accounting.flops import count_flops
from bigmodel_lib.accounting.memory import measure_peak, training_step
from bigmodel_lib.configs.gpt import GPTConfig
from bigmodel_lib.configs.pretraining import PretrainingConfig, RunConfig, TextConfig
from bigmodel_lib.configs.training import TrainingConfig
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.training.distributed import Process
from bigmodel_lib.training.optimizers import AdamW
from bigmodel_lib.training.pretraining import Pretraining, loss_of
from bigmodel_lib.training.token_files import write_tokens

CPU = torch.device("cpu")
SIZES = GPTConfig(vocab_size=280, max_len=32, n_layers=2, n_heads=2, d_model=32, d_ff=128)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    text = folder / "text.txt"
    text.write_text(" ".join(f"{i} sheep and {i + 1} goats." for i in range(300)))
    config = TextConfig(source=str(text))
    write_tokens(folder, config, vocab_size=SIZES.vocab_size, min_tokens=SIZES.max_len + 1)
    return folder


def make(folder, *, rank=0, world=1, accumulate=1, **run):
    config = PretrainingConfig(
        text=TextConfig(),
        model=SIZES,
        training=TrainingConfig(n_steps=10, learning_rate=1e-3, accumulate=accumulate),
        run=RunConfig(**{"batch_size": 4, "eval_batches": 3, "sample_tokens": 0} | run),
    )
    return Pretraining(config, folder, Process(rank, world, CPU))


def test_two_processes_share_each_batch(folder):
    alone = make(folder)
    shares = [make(folder, rank=rank, world=2) for rank in range(2)]

    for name in ("batches", "valid_batches"):
        parts = [getattr(share, name)(5)[0] for share in shares]
        assert torch.cat(parts).equal(getattr(alone, name)(5)[0])


def test_evaluation_is_the_mean_loss_on_held_out_text_in_nats_and_in_bits(folder, capsys):
    run, model = make(folder), GPT(SIZES).eval()
    run.batches(0)
    loss = run.evaluate(model)

    losses = [loss_of(model, run.valid_batches(i)[0]) for i in range(3)]
    assert loss == pytest.approx(torch.stack(losses).mean().item())
    assert loss == pytest.approx(math.log(280), rel=0.02)  # it knows nothing yet
    bits = loss / math.log(2) * len(run.text.valid)
    said = capsys.readouterr().out
    assert f"step 1: held-out loss {loss:.4f}" in said
    n_bytes = run.text.bytes_per_token * len(run.text.valid)
    assert f"{bits / n_bytes:.3f} bits per byte" in said


def test_every_position_of_the_model_learns_the_last_one_too(folder):
    run, model = make(folder), GPT(SIZES)
    loss_of(model, run.train_batches(0)[0]).backward()

    assert model.position_embed.table.weight.grad.abs().sum(dim=1).min() > 0


def test_a_sample_goes_on_from_the_prompt_and_is_drawn_again_the_same(folder):
    run, model = make(folder, sample_tokens=12), GPT(SIZES)
    text = run.sample(model, "7 sheep")

    assert text.startswith("7 sheep")
    assert len(text) > len("7 sheep")
    assert run.sample(model, "7 sheep") == text
    assert make(folder, sample_tokens=12, seed=1).sample(model, "7 sheep") != text
    assert run.sample(model, "").startswith("<|endoftext|>")


def test_a_step_counts_all_its_batches(folder):
    run = make(folder, accumulate=3)
    run.batches(5)

    assert run.step == 2
    assert run.tokens_per_step() == 3 * 4 * 32
    tokens = torch.zeros(12, 32, dtype=torch.long, device="meta")
    counted = count_flops(lambda: GPT(run.sizes)(tokens).sum().backward())
    # The first layer's input needs no gradient, which saves nothing: an embedding is no product.
    assert run.flops_per_step() == pytest.approx(counted, rel=0.02)


def test_memory_is_what_a_step_takes(folder):
    run = make(folder, batch_size=8)
    (tokens,) = run.batches(0)

    def steps():
        model = GPT(run.sizes)
        optimizer = AdamW(model.parameters(), 1e-3)
        for _ in range(2):
            training_step(model, lambda model: loss_of(model, tokens), optimizer)

    found, memory = measure_peak(steps), run.memory()
    assert memory.peak == pytest.approx(found, rel=0.15)
    assert memory.optimizer == 2 * memory.parameters


def test_each_of_two_processes_takes_less_memory(folder):
    whole, half = make(folder).memory(), make(folder, world=2).memory()
    assert half.activations < whole.activations
    assert half.parameters == whole.parameters


def test_half_precision_is_asked_of_the_model_too(folder, capsys):
    run = make(folder)
    training = replace(run.config.training, precision="bf16")
    run.config = replace(run.config, training=training)
    model = GPT(SIZES).eval()

    exact = make(folder).evaluate(model)
    assert run.evaluate(model) == pytest.approx(exact, rel=0.01)
    assert run.evaluate(model) != exact
    assert run.is_half
