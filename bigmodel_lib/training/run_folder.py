"""What a training run leaves on disk: its settings, a line for every step, the last checkpoint.

    config.json             the settings, in words that a person can read
    log.jsonl               one JSON object a step
    checkpoint.safetensors  everything that the next step depends on; for a model in shards a
                            folder, `checkpoint`

Whenever a run is killed, the next one finds a whole checkpoint, and takes back the lines of the
log that are ahead of it. Of several processes, the first one writes.
"""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from bigmodel_lib.configs.training import TrainingConfig
from bigmodel_lib.training.checkpoints import load_checkpoint, save_checkpoint
from bigmodel_lib.training.distributed import is_first, is_sharded, unwrapped, wait_for_all
from bigmodel_lib.training.sharded_checkpoints import LATEST, load_shards, save_shards
from bigmodel_lib.weights.files import replacing

CONFIG, LOG, CHECKPOINT, SHARDS = "config.json", "log.jsonl", "checkpoint.safetensors", "checkpoint"
MAY_CHANGE = {"eval_every", "save_every", "patience"}  # when a run goes on


class RunFolder:
    """The folder of one run.

    Args:
        folder: Created if it does not exist.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def resume(
        self, model: nn.Module, optimizer: Optimizer, config: TrainingConfig
    ) -> dict[str, Any] | None:
        """Go back to the last checkpoint, in the model and in the log.

        Returns:
            The progress that was saved, or None if there is no checkpoint.

        Raises:
            ValueError: If the checkpoint is of other settings, or of another kind of model. The
                model is then unchanged.
        """
        shards, file = self.folder / SHARDS / LATEST, self.folder / CHECKPOINT
        wanted, other = (shards, file) if is_sharded(model) else (file, shards)
        if other.exists():
            raise ValueError(f"{other} is of a run in {'one piece' if other is file else 'shards'}")
        found = wanted.exists()
        if found:
            self._check_config(config)
        wait_for_all()  # all have read the old settings before the first one writes the new
        if is_first():
            _write(self.folder / CONFIG, json.dumps(asdict(config), indent=2) + "\n")
        progress = None
        if found and is_sharded(model):
            progress = load_shards(shards.parent, model, optimizer)
        elif found:
            progress = load_checkpoint(file, unwrapped(model), optimizer)
        self._forget_after(progress["step"] if progress else 0)
        return progress

    def save(self, model: nn.Module, optimizer: Optimizer, progress: dict[str, Any]) -> None:
        """Replace the checkpoint; called by every process."""
        if is_sharded(model):
            save_shards(self.folder / SHARDS, model, optimizer, progress)
        else:
            save_checkpoint(self.folder / CHECKPOINT, unwrapped(model), optimizer, progress)

    def log(self, record: dict[str, Any]) -> None:
        """Append a line."""
        if is_first():
            with (self.folder / LOG).open("a") as file:
                file.write(json.dumps(record) + "\n")

    def _check_config(self, config: TrainingConfig) -> None:
        """A run with other settings would not be the same run, and must not look like it."""
        path = self.folder / CONFIG
        saved = json.loads(path.read_text()) if path.exists() else {}
        wanted = json.loads(json.dumps(asdict(config)))  # tuples become lists
        changes = [
            f"{name} was {saved[name]} and is {value}"
            for name, value in wanted.items()
            if name not in MAY_CHANGE and name in saved and saved[name] != value
        ]
        if changes:
            raise ValueError(
                f"{self.folder} holds a run with other settings: {', '.join(changes)}; "
                "give the new run a folder of its own"
            )

    def _forget_after(self, step: int) -> None:
        """Drop the log's lines from `step` on: these steps will be taken again."""
        path = self.folder / LOG
        if is_first() and path.exists():
            kept = [line for line in path.read_text().splitlines() if _step(line) < step]
            _write(path, "".join(line + "\n" for line in kept))


def _write(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text)


def _step(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError):
        return math.inf  # a line that was cut off when the run was killed
