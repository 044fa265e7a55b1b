"""Pretrain a GPT from the command line: text in, a model that writes out.

    python -m bigmodel_lib.training.pretrain --config configs/pretrain_ci.toml --folder runs/first
    python -m bigmodel_lib.training.pretrain --folder runs/first                  # to go on
    python -m bigmodel_lib.training.pretrain --folder runs/first --sample "The"
    torchrun --nproc-per-node=8 -m bigmodel_lib.training.pretrain --config … --folder …

The folder holds, besides what `training/run_folder.py` and `training/token_files.py` keep there,
settings.json (to go on, a run needs no others) and, when it is finished, model.safetensors. Several
processes, on one machine or on many, need a folder that all of them see.

Paper:   Radford et al. (2019), Language Models are Unsupervised Multitask Learners, section 2.
Chapter: chapters/04_code/06_pretraining_a_gpt.ipynb
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import MISSING, asdict, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bigmodel_lib.accounting.hardware import flops_utilisation
from bigmodel_lib.accounting.parameters import count_parameters
from bigmodel_lib.configs.pretraining import SECTIONS, PretrainingConfig, read_settings
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.training.distributed import (
    Process,
    joined,
    replicate,
    shard,
    unwrapped,
    wait_for_all,
    whole,
)
from bigmodel_lib.training.loop import train
from bigmodel_lib.training.pretraining import Pretraining, loss_of, say
from bigmodel_lib.training.run_log import MAY_CHANGE
from bigmodel_lib.training.token_files import TOKENS, write_tokens
from bigmodel_lib.weights.container import replacing
from bigmodel_lib.weights.files import load, tied_names, write_tensors

SETTINGS, MODEL = "settings.json", "model.safetensors"
FREE = MAY_CHANGE | {"prompt", "sample_tokens", "temperature"}  # when a run goes on


def pretrain(
    config: PretrainingConfig,
    folder: str | Path,
    here: Process,
    *,
    only_prepare: bool = False,
    show: bool = True,
) -> list[dict[str, Any]]:
    """Begin a run, or go on with it; called by every process.

    Args:
        config: All settings.
        folder: Where everything is kept; created if it does not exist.
        here: Which of the processes this is, as `joined` gives it.
        only_prepare: Stop before the first step, with the text in tokens and the cost predicted.
        show: Show a progress bar, if there is a terminal to show it on.

    Returns:
        The records of `train`.

    Raises:
        ValueError: If the folder holds a run of other settings, the text cannot be read or is too
            short, or as in `train`.
    """
    folder = Path(folder)
    if here.rank == 0:
        folder.mkdir(parents=True, exist_ok=True)
        _keep_settings(config, folder / SETTINGS)
        sizes = {"vocab_size": config.model.vocab_size, "min_tokens": config.model.max_len + 1}
        write_tokens(folder, config.text, **sizes)
    wait_for_all()
    run = Pretraining(config, folder, here)
    torch.manual_seed(config.run.seed)
    model = GPT(run.sizes).to(here.device)
    peak = _predict(run, model) if here.rank == 0 else 0.0
    if only_prepare:
        return []
    model = shard(model, model.blocks) if config.run.sharded else replicate(model)
    torch.manual_seed(config.run.seed + here.rank)  # every process drops other units
    history = train(
        *(model, run.batches, loss_of, config.training),
        evaluate=run.evaluate,
        folder=folder,
        show=show and here.rank == 0 and sys.stderr.isatty(),
    )
    _write_weights(model, folder / MODEL, here)
    if here.rank == 0:
        _measure(run, history, peak)
        if not history:
            say(f"nothing was left to do: all {config.training.n_steps:,} steps are done")
    return history


def write(config: PretrainingConfig, folder: str | Path, prompt: str) -> str:
    """Continue a prompt with the model of a finished run.

    Raises:
        ValueError: If the run is not finished.
    """
    folder = Path(folder)
    if not (folder / MODEL).exists():
        raise ValueError(f"{folder} has no {MODEL}: the run is not finished")
    run = Pretraining(config, folder, Process(0, 1, torch.device("cpu")))
    return run.sample(load(GPT(run.sizes), folder / MODEL), prompt)


def _keep_settings(config: PretrainingConfig, path: Path) -> None:
    """Write the settings, unless those of another run are there; without tokens, none has begun."""
    if path.exists() and (path.parent / TOKENS).exists():
        old, new = asdict(read_settings(path)), asdict(config)
        changes = [
            f"{name} was {old[section][name]!r} and is {value!r}"
            for section, values in new.items()
            for name, value in values.items()
            if name not in FREE and value != old[section][name]
        ]
        if changes:
            raise ValueError(
                f"{path.parent} holds a run with other settings: {', '.join(changes)}; "
                "give the new run a folder of its own"
            )
    with replacing(path) as partial:
        partial.write_text(config.to_json(), "utf-8")


def _predict(run: Pretraining, model: nn.Module) -> float:
    """Say what the run will take; return the peak, in operations per second, for later."""
    text, memory, peak = run.text, run.memory(), run.peak_flops()
    n_steps, n_layers = run.config.training.n_steps, run.sizes.n_layers
    n_seen, flops = n_steps * run.tokens_per_step(), n_steps * run.flops_per_step()
    say(
        f"text: {len(text.train):,} tokens to learn from, {len(text.valid):,} held out "
        f"({text.bytes_per_token:.2f} bytes each), {run.sizes.vocab_size:,} different ones\n"
        f"model: {count_parameters(model):,} parameters in {n_layers} layers\n"
        f"memory: {_size(memory.peak)} a process at the fullest moment, predicted: "
        f"parameters {_size(memory.parameters)}, gradients {_size(memory.gradients)}, "
        f"optimizer {_size(memory.optimizer)}, activations {_size(memory.activations)}"
        f"{' (before the model is cut into shards)' if run.config.run.sharded else ''}\n"
        f"time: {n_steps:,} steps read {n_seen:,} tokens, {n_seen / len(text.train):.1f} times the "
        f"text, in {flops:.2e} operations: at least {flops / peak:,.0f} s at the "
        f"measured peak of {peak:.2e} a second"
    )
    return peak


def _measure(run: Pretraining, history: Sequence[dict[str, Any]], peak: float) -> None:
    """Say how fast it went: the median over the steps leaves evaluations and saving out."""
    seconds = [after["seconds"] - before["seconds"] for before, after in pairwise(history)]
    if seconds:
        step = statistics.median(seconds)
        used = flops_utilisation(run.flops_per_step(), step, peak)
        say(
            f"speed: {run.tokens_per_step() / step:,.0f} tokens a second, "
            f"model FLOPs utilisation {used:.0%} of the measured peak"
        )
    if torch.cuda.is_available():
        say(f"memory: {_size(torch.cuda.max_memory_allocated())} on this GPU, measured")


def _write_weights(model: nn.Module, path: Path, here: Process) -> None:
    """Write the weights in one piece, also of a model in shards."""
    model = unwrapped(model)
    ties = tied_names(model)
    tensors = {name: whole(t) for name, t in model.state_dict().items() if name not in ties}
    if here.rank == 0:
        write_tensors(tensors, path)
    wait_for_all()


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"


def _parser() -> argparse.ArgumentParser:
    """One option for every setting, in the groups that are the sections of the file."""
    parser = argparse.ArgumentParser(
        prog="python -m bigmodel_lib.training.pretrain",
        description="Pretrain a GPT; the same command again goes on where the last one stopped.",
        allow_abbrev=False,  # a misspelt setting is not another one
    )
    parser.add_argument("--folder", required=True, type=Path, help="where the run is kept")
    parser.add_argument("--config", type=Path, help="TOML file; not needed to go on with a run")
    parser.add_argument("--prepare", action="store_true", help="only make tokens and predict")
    parser.add_argument("--sample", metavar="TEXT", help="continue this text, after the training")
    for section, kind in SECTIONS.items():
        group = parser.add_argument_group(f"instead of what the file has in [{section}]")
        for field in fields(kind):
            flag, value = field.name.replace("_", "-"), getattr(field.type, "__name__", field.type)
            default = "" if field.default is MISSING else f"default {field.default}"
            group.add_argument(f"--{flag}", metavar=str(value), help=default)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line asks for; what the user can mend is said in one line."""
    options = vars(_parser().parse_args(arguments))
    folder, path = options.pop("folder"), options.pop("config")
    prompt, only_prepare = options.pop("sample"), options.pop("prepare")
    changes = {name: value for name, value in options.items() if value is not None}
    try:
        if path is None and not (folder / SETTINGS).exists():
            raise ValueError(f"{folder} holds no run to go on with: a new one needs --config")
        if path is None or prompt is not None:
            path = folder / SETTINGS
        config = read_settings(path, changes)
        if prompt is not None:
            say(write(config, folder, prompt))
            return
        with joined() as here:
            pretrain(config, folder, here, only_prepare=only_prepare)
    except (ValueError, OSError) as error:
        raise SystemExit(f"pretrain: {error}") from None


if __name__ == "__main__":
    main()
