"""Tests of bigmodel_lib/training/checkpoints.py."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from bigmodel_lib.training.checkpoints import load_checkpoint, save_checkpoint
from bigmodel_lib.training.optimizers import AdamW
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


def test_another_optimizer_is_refused(tmp_path):
    model, optimizer = make()
    save_checkpoint(tmp_path / "c.safetensors", model, optimizer, {})
    before = model.weight.clone()
    other = AdamW([model.weight], 0.1)

    with pytest.raises(ValueError, match=r"groups of \[1\] parameters, found \[2\]"):
        load_checkpoint(tmp_path / "c.safetensors", model, other)
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


WRITER = """
import sys, torch
from torch import nn
from bigmodel_lib.training.checkpoints import save_checkpoint
from bigmodel_lib.training.optimizers import AdamW
model = nn.Linear(512, 2048)
optimizer = AdamW(model.parameters(), 0.1)
step = 0
while True:
    with torch.no_grad():
        model.weight.fill_(step)
    save_checkpoint(sys.argv[1], model, optimizer, {"step": step})
    print(step, flush=True)
    step += 1
"""


@pytest.mark.slow
def test_killed_a_hundred_times_while_writing_the_last_good_one_remains(tmp_path):
    path = tmp_path / "c.safetensors"
    model = nn.Linear(512, 2048)
    optimizer = AdamW(model.parameters(), 0.1)
    # One interpreter forks a writer for each kill, so that torch is imported once.
    runner = f"""
import os, random, signal, sys, time
random.seed(0)
import torch
torch.set_num_threads(1)
for _ in range(100):
    child = os.fork()
    if child == 0:
        sys.stdout = open(os.devnull, "w")
        exec({WRITER!r})
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.001)
    time.sleep(random.uniform(0.005, 0.04))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print("killed", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", runner, str(path)], stdout=subprocess.PIPE, text=True
    )
    kills = 0
    for _ in process.stdout:
        kills += 1
    assert process.wait() == 0
    assert kills == 100

    progress = load_checkpoint(path, model, optimizer)
    assert (model.weight == progress["step"]).all()
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
