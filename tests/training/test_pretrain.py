"""Tests of bigmodel_lib/training/pretrain.py: also killed, also on two processes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.training.distributed import joined
from bigmodel_lib.training.pretrain import MODEL, main, pretrain, read_settings
from bigmodel_lib.training.pretraining import Pretraining
from bigmodel_lib.training.run_log import LOG
from bigmodel_lib.weights.files import load

ROOT = Path(__file__).parents[2]
SETTINGS = """
[text]
source = "{text}"

[model]
vocab_size = 280
max_len = 16
n_layers = 2
n_heads = 2
d_model = 16
d_ff = 32
dropout = 0.1

[training]
n_steps = 120
learning_rate = 1e-2
warmup = 5
eval_every = 40
save_every = 8

[run]
batch_size = 4
eval_batches = 2
prompt = "two"
sample_tokens = 8
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrain")
    text = folder / "text.txt"
    text.write_text(" ".join(f"{i} sheep and {i + 1} goats." for i in range(300)))
    path = folder / "run.toml"
    path.write_text(SETTINGS.format(text=text))
    return path


def command(*arguments, n_processes=1):
    """The command line as a user types it."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"]
    module = ["-m", "bigmodel_lib.training.pretrain", *map(str, arguments)]
    return [sys.executable, *(torchrun if n_processes > 1 else []), *module]


ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}  # sums in another order have other last bits


def run(*arguments, n_processes=1):
    """Run it to its end, and return what it said."""
    answer = subprocess.run(
        command(*arguments, n_processes=n_processes),
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def finished(config):
    """The folder of a run that nothing interrupted; what it said is in a file."""
    folder = config.parent / "whole"
    said = run("--config", config, "--folder", folder)
    (folder / "said.txt").write_text(said)
    return folder


def records(folder):
    if not (folder / LOG).exists():
        return []
    lines = (folder / LOG).read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def numbers(folder):
    """What a run computed at every step: everything but the time it took."""
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records(folder)]


def refusal(*arguments):
    with pytest.raises(SystemExit) as error:
        main(list(map(str, arguments)))
    return str(error.value)


@pytest.mark.slow
def test_it_learns_and_tells_what_it_takes(finished):
    losses = [record["eval_loss"] for record in records(finished) if "eval_loss" in record]
    said = (finished / "said.txt").read_text()

    assert len(records(finished)) == 120
    assert len(losses) == 3
    assert losses[-1] < losses[0] - 0.3
    for words in ("tokens to learn from", "parameters in 2 layers", "predicted", "at least"):
        assert words in said
    assert f"step 120: held-out loss {losses[-1]:.4f}" in said
    assert said.count("\n  'two") == 3  # what it writes along the way
    assert "tokens a second, model FLOPs utilisation" in said


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_as_if_nothing_had_happened(finished, config):
    folder = config.parent / "killed"
    begin = command("--config", config, "--folder", folder)
    process = subprocess.Popen(
        begin, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 100
    while len(records(folder)) < 20 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()  # SIGKILL: nothing is tidied up
    _, errors = process.communicate()

    assert process.returncode == -9, errors.decode()
    assert 20 <= len(records(folder)) < 120
    assert not (folder / MODEL).exists()
    assert "the run is not finished" in refusal("--folder", folder, "--sample", "two")
    run("--folder", folder)  # the settings are in the folder
    assert numbers(folder) == numbers(finished)
    assert (folder / MODEL).read_bytes() == (finished / MODEL).read_bytes()


@pytest.mark.slow
def test_a_finished_run_writes(finished):
    written = run("--folder", finished, "--sample", "17 sheep and", "--temperature", "0")
    with joined() as here:
        done = Pretraining(read_settings(finished / "settings.json"), finished, here)
    tokens = torch.tensor([done.text.tokenizer.encode("17 sheep and")])
    model = load(GPT(done.sizes), finished / MODEL).eval()
    with torch.no_grad():
        best = int(model(tokens)[0, -1].argmax())

    assert written.startswith("17 sheep and" + done.text.tokenizer.decode([best]))


@pytest.mark.slow
@pytest.mark.parametrize("sharded", ["false", "true"])
def test_two_processes_reproduce_the_losses_of_one(config, tmp_path, sharded):
    """In float32 sums in another order differ in the last digits, and training makes them grow."""
    options = ["--config", config, "--n-steps", 10, "--eval-every", 5, "--dropout", 0]
    alone, both = tmp_path / "alone", tmp_path / "both"
    run(*options, "--folder", alone)
    said = run(*options, "--folder", both, "--sharded", sharded, n_processes=2)

    assert said.count("step 10: held-out loss") == 1  # one of them speaks
    assert len(records(both)) == 10
    for found, expected in zip(numbers(both), numbers(alone), strict=True):
        assert found == pytest.approx(expected, rel=1e-3)
    with joined() as here:
        sizes = Pretraining(read_settings(both / "settings.json"), both, here).sizes
    weights = [load(GPT(sizes), folder / MODEL).blocks[1].ff.up.weight for folder in (alone, both)]
    torch.testing.assert_close(*weights, rtol=0, atol=2e-3)


def test_to_prepare_is_not_to_train(config, tmp_path, capsys):
    main(["--config", str(config), "--folder", str(tmp_path / "run"), "--prepare"])

    assert "parameters in 2 layers" in capsys.readouterr().out
    assert (tmp_path / "run" / "tokens.safetensors").exists()
    assert not records(tmp_path / "run")


def test_other_settings_are_another_run(config, tmp_path):
    folder = tmp_path / "run"
    main(["--config", str(config), "--folder", str(folder), "--prepare"])

    said = refusal("--folder", folder, "--d-model", 32, "--seed", 3, "--prepare")
    assert "d_model was 16 and is 32, seed was 0 and is 3" in said
    main(["--folder", str(folder), "--prepare", "--eval-every", "3", "--prompt", "one"])
    assert read_settings(folder / "settings.json").run.prompt == "one"


def test_what_the_user_can_mend_is_said_in_one_line(config, tmp_path):
    folder = tmp_path / "run"

    assert refusal("--folder", folder) == (
        f"pretrain: {folder} holds no run to go on with: a new one needs --config"
    )
    assert "No such file" in refusal("--folder", folder, "--config", tmp_path / "no.toml")
    start = ("--config", config, "--folder", folder)
    assert "[training]: n_steps must be a whole number, got 'ten'" in refusal(
        *start, "--n-steps", "ten"
    )
    assert "'nowhere' is no file or folder" in refusal(*start, "--source", "nowhere")
    main([*map(str, start), "--prepare"])  # a refusal leaves nothing in the way
    long = refusal("--config", config, "--folder", tmp_path / "long", "--max-len", 100_000)
    assert "at least 100001 are needed: max_len, and one to predict" in long


def test_a_setting_cut_short_is_refused(config, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--config", str(config), "--folder", str(tmp_path), "--learning-rat", "0.1"])
    assert "unrecognized arguments: --learning-rat" in capsys.readouterr().err


def test_a_batch_that_cannot_be_shared_is_refused(config, tmp_path):
    with joined() as here, pytest.raises(ValueError, match=r"batch_size \(4\) must be a positive"):
        pretrain(read_settings(config), tmp_path, here._replace(world=3))
