"""The training loop: batch, loss, gradient, clip, step; and now and then look, log and save."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from bigmodel_lib.configs.training import TrainingConfig
from bigmodel_lib.training.checkpoints import load_checkpoint, save_checkpoint
from bigmodel_lib.training.optimizers import AdamW, decay_groups
from bigmodel_lib.training.schedules import cosine
from bigmodel_lib.weights.files import replacing

Batches = Callable[[int], tuple[Tensor, ...]]
CHECKPOINT, LOG = "checkpoint.safetensors", "log.jsonl"


def train(
    model: nn.Module,
    batches: Batches,
    loss_of: Callable[..., Tensor],
    config: TrainingConfig,
    *,
    evaluate: Callable[[nn.Module], float] | None = None,
    folder: str | Path | None = None,
    show: bool = True,
) -> list[dict[str, Any]]:
    """Train a model with AdamW and a cosine schedule; continue where an earlier call stopped.

    Args:
        model: Trained in place, on the device it is on.
        batches: Gives the tensors of batch number i, see `training/batches.py`.
        loss_of: Called as `loss_of(model, *batch)`; returns a scalar.
        config: How long and how fast.
        evaluate: Called every `eval_every` steps and at the end; returns a loss, lower is better.
        folder: Where to keep the checkpoint and the log. If there is a checkpoint, training goes
            on from it, exactly as if it had never stopped. None keeps nothing.
        show: Show a progress bar.

    Returns:
        One record a step: step, loss, gradient norm, learning rate, seconds since the start of
        the call and, where the model was evaluated, `eval_loss`.

    Raises:
        ValueError: If the loss is no longer a finite number; the step is named.
    """
    optimizer = AdamW(
        decay_groups(model, config.weight_decay), config.learning_rate, betas=config.betas
    )
    schedule = cosine(config.n_steps, warmup=config.warmup, floor=config.floor)
    progress = {"step": 0, "best": math.inf, "bad": 0}
    folder = None if folder is None else Path(folder)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).exists():
            progress = load_checkpoint(folder / CHECKPOINT, model, optimizer)
        _forget_after(folder / LOG, progress["step"])

    history, start = [], time.perf_counter()
    bar = tqdm(initial=progress["step"], total=config.n_steps, disable=not show)
    while progress["step"] < config.n_steps and not _out_of_patience(progress, config):
        step = progress["step"]
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * schedule(step)
        record = {"step": step} | train_step(model, batches, loss_of, optimizer, config, step)
        progress["step"] += 1
        record["lr"] = optimizer.param_groups[0]["lr"]
        record["seconds"] = time.perf_counter() - start
        last = progress["step"] == config.n_steps
        if evaluate is not None and (last or progress["step"] % config.eval_every == 0):
            record["eval_loss"] = _look(model, evaluate, progress)
        history.append(record)
        if folder is not None:
            with (folder / LOG).open("a") as log:
                log.write(json.dumps(record) + "\n")
            stopped = _out_of_patience(progress, config)
            if last or stopped or progress["step"] % config.save_every == 0:
                save_checkpoint(folder / CHECKPOINT, model, optimizer, progress)
        bar.update()
        bar.set_postfix(loss=f"{record['loss']:.3f}", refresh=False)
    bar.close()
    return history


def train_step(
    model: nn.Module,
    batches: Batches,
    loss_of: Callable[..., Tensor],
    optimizer: Optimizer,
    config: TrainingConfig,
    step: int,
) -> dict[str, float]:
    """Move the parameters once, by the mean gradient of `config.accumulate` batches.

    Returns:
        The mean loss, and the norm of the gradient before it was clipped.
    """
    model.train()
    optimizer.zero_grad()
    device = next(model.parameters()).device
    total = 0.0
    for i in range(config.accumulate):
        batch = (part.to(device) for part in batches(step * config.accumulate + i))
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            loss = loss_of(model, *batch) / config.accumulate
        loss.backward()
        total += loss.item()
    if not math.isfinite(total):
        raise ValueError(f"the loss is {total} at step {step}: a lower learning rate may help")
    limit = math.inf if config.clip_norm is None else config.clip_norm
    norm = nn.utils.clip_grad_norm_(model.parameters(), limit)
    optimizer.step()
    return {"loss": total, "grad_norm": norm.item()}


def _look(model: nn.Module, evaluate: Callable[[nn.Module], float], progress: dict) -> float:
    """Evaluate without a trace: no gradient, no dropout, no draw from the training's randomness."""
    model.eval()
    with torch.no_grad(), torch.random.fork_rng():
        loss = float(evaluate(model))
    better = loss < progress["best"]
    progress.update(best=min(loss, progress["best"]), bad=0 if better else progress["bad"] + 1)
    return loss


def _out_of_patience(progress: dict, config: TrainingConfig) -> bool:
    return config.patience is not None and progress["bad"] >= config.patience


def _forget_after(log: Path, step: int) -> None:
    """Drop the log's lines from `step` on: the steps after the checkpoint will be taken again."""
    if log.exists():
        kept = [line for line in log.read_text().splitlines() if _step(line) < step]
        with replacing(log) as partial:
            partial.write_text("".join(line + "\n" for line in kept))


def _step(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError):
        return math.inf  # a line that was cut off when the run was killed
