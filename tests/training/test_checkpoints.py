"""Tests of bigmodel_lib/training/checkpoints.py."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from bigmodel_lib.training.checkpoints import load_checkpoint, save_checkpoint
from bigmodel_lib.training.optimizers import SGD, AdamW
from bigmodel_lib.weights.files import save


def make():
    model = nn.Linear(4, 3)
    optimizer = AdamW(model.parameters(), 0.1)
    model(torch.randn(2, 4)).sum().backward()
    optimizer.step()
    return model, optimizer


def test_everything_comes_back(tmp_path):
    model, optimizer = make()
    save_checkpoint(tmp_path / "c.safetensors", model, optimizer, {"step": 7, "best": 0.5})
    expected = torch.randn(5)
    other, other_optimizer = make()
    progress = load_checkpoint(tmp_path / "c.safetensors", other, other_optimizer)

    assert progress == {"step": 7, "best": 0.5}
    assert torch.equal(torch.randn(5), expected)  # the generator continues where it was
    assert torch.equal(other.weight, model.weight)
    ours, theirs = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    assert all(torch.equal(ours[i]["m"], theirs[i]["m"]) for i in ours)
    assert all(ours[i]["t"] == theirs[i]["t"] == 1 for i in ours)


def test_plain_weights_are_not_a_checkpoint(tmp_path):
    model, optimizer = make()
    save(model, tmp_path / "w.safetensors")

    with pytest.raises(ValueError, match="holds weights, but not a checkpoint"):
        load_checkpoint(tmp_path / "w.safetensors", model, optimizer)


@pytest.mark.parametrize(
    ("make_other", "message"),
    [
        (
            lambda model: AdamW([model.weight], 0.1),
            r"state of AdamW with groups of \[1\] .* found that of AdamW with groups of \[2\]",
        ),
        (lambda model: SGD(model.parameters(), 0.1), "state of SGD .* found that of AdamW"),
    ],
)
def test_another_optimizer_is_refused(tmp_path, make_other, message):
    model, optimizer = make()
    save_checkpoint(tmp_path / "c.safetensors", model, optimizer, {})
    with torch.no_grad():
        model.weight.add_(1.0)
    before = model.weight.clone()

    with pytest.raises(ValueError, match=message):
        load_checkpoint(tmp_path / "c.safetensors", model, make_other(model))
    assert torch.equal(model.weight, before)


def test_a_diverged_model_does_not_replace_a_good_checkpoint(tmp_path):
    model, optimizer = make()
    save_checkpoint(tmp_path / "c.safetensors", model, optimizer, {"step": 1})
    good = (tmp_path / "c.safetensors").read_bytes()
    with torch.no_grad():
        model.weight[0, 0] = torch.nan

    with pytest.raises(ValueError, match=r"model\.weight"):
        save_checkpoint(tmp_path / "c.safetensors", model, optimizer, {"step": 2})
    assert (tmp_path / "c.safetensors").read_bytes() == good
    assert os.listdir(tmp_path) == ["c.safetensors"]


KILLER = """
import os, random, signal, sys, time
import torch
from torch import nn
from bigmodel_lib.training.checkpoints import save_checkpoint
from bigmodel_lib.training.optimizers import AdamW

path = sys.argv[1]
random.seed(0)
torch.set_num_threads(1)
model = nn.Linear(256, 1024)
optimizer = AdamW(model.parameters(), 0.1)


def write_for_ever(first):
    for step in range(first, first + 1000):
        with torch.no_grad():
            model.weight.fill_(step)
        save_checkpoint(path, model, optimizer, {"step": step})


for kill in range(100):
    writer = os.fork()  # so that torch is imported once
    if writer == 0:
        write_for_ever(1000 * kill)
    while not os.path.exists(path):
        time.sleep(0.001)
    time.sleep(random.uniform(0.005, 0.04))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    print("while writing" if os.path.exists(path + ".partial") else "between", flush=True)
"""


@pytest.mark.slow
def test_killed_a_hundred_times_while_writing_the_last_good_one_remains(tmp_path):
    path = tmp_path / "c.safetensors"
    command = [sys.executable, "-c", KILLER, str(path)]
    kills = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert len(kills.splitlines()) == 100
    assert kills.count("while writing") > 10  # else the kills have proven nothing

    model = nn.Linear(256, 1024)
    optimizer = AdamW(model.parameters(), 0.1)
    progress = load_checkpoint(path, model, optimizer)
    assert (model.weight == progress["step"]).all()
    assert progress["step"] > 1000  # nor if nothing had been written between them
    save_checkpoint(path, model, optimizer, progress)
    assert os.listdir(tmp_path) == ["c.safetensors"]  # the next save clears what a kill left


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path):
    """A file-size limit stands in for the full disk: the write fails half-way in either case."""
    path = tmp_path / "c.safetensors"
    model, optimizer = nn.Linear(8, 8), None
    script = f"""
import resource, signal, sys, torch
from torch import nn
from bigmodel_lib.training.checkpoints import save_checkpoint
from bigmodel_lib.training.optimizers import AdamW
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
small, big = nn.Linear(8, 8), nn.Linear(512, 512)
save_checkpoint({str(path)!r}, small, AdamW(small.parameters(), 0.1), {{"step": 1}})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save_checkpoint({str(path)!r}, big, AdamW(big.parameters(), 0.1), {{"step": 2}})
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "rror" in done.stdout, done.stderr
    optimizer = AdamW(model.parameters(), 0.1)

    assert load_checkpoint(path, model, optimizer) == {"step": 1}
    assert os.listdir(tmp_path) == ["c.safetensors"]
