"""A pretraining run as one of its processes sees it: its text, batches, evaluation and cost.

Paper:   Radford et al. (2019), Language Models are Unsupervised Multitask Learners, section 2.
Chapter: chapters/04_code/06_pretraining_a_gpt.ipynb

Shapes: B windows in a batch, T tokens in a window.
"""

import math
import statistics
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from bigmodel_lib.accounting.flops import decoder_flops
from bigmodel_lib.accounting.hardware import measure_peak_flops
from bigmodel_lib.accounting.memory import TrainingMemory, predict_training_memory
from bigmodel_lib.configs.pretraining import PretrainingConfig
from bigmodel_lib.generation.sampling import generate
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.training.batches import TokenBatches
from bigmodel_lib.training.distributed import Process, mean_over_processes
from bigmodel_lib.training.objectives import cross_entropy
from bigmodel_lib.training.optimizers import AdamW
from bigmodel_lib.training.token_files import END, read_tokens


def say(text: str) -> None:
    """Print a line above the progress bar, at once: a log must not lose it to a kill."""
    tqdm.write(text)
    sys.stdout.flush()


class Pretraining:
    """A run as one of its processes sees it.

    Args:
        config: All settings.
        folder: Where the tokens are.
        here: Which of the processes this is.
    """

    def __init__(self, config: PretrainingConfig, folder: Path, here: Process) -> None:
        self.config, self.here = config, here
        self.text = read_tokens(folder)
        self.sizes = replace(config.model, vocab_size=len(self.text.tokenizer))
        place = {"seed": config.run.seed, "rank": here.rank, "world": here.world}
        size = config.run.batch_size, self.sizes.max_len + 1  # the last is a target only
        self.train_batches = TokenBatches(self.text.train, *size, **place)
        self.valid_batches = TokenBatches(self.text.valid, *size, **place)
        self.step = 0

    def batches(self, i: int) -> tuple[Tensor, ...]:
        """Batch i, and a note of how many steps will be done after it."""
        self.step = i // self.config.training.accumulate + 1
        return self.train_batches(i)

    def evaluate(self, model: nn.Module) -> float:
        """Measure the loss on held-out text, in nats per token, and show what the model writes."""
        device, run = self.here.device, self.config.run
        losses = []
        for i in range(run.eval_batches):
            with torch.autocast(device.type, torch.bfloat16, enabled=self.is_half):
                (tokens,) = self.valid_batches(i)
                losses.append(loss_of(model, tokens.to(device)).item())
        loss = mean_over_processes(statistics.fmean(losses), device)
        if self.here.rank == 0:
            bits = loss / math.log(2) / self.text.bytes_per_token
            say(f"step {self.step}: held-out loss {loss:.4f}, {bits:.3f} bits per byte")
            if run.sample_tokens and not run.sharded:  # shards would need all processes to write
                say(f"  {self.sample(model, run.prompt)!r}")
        return loss

    def sample(self, model: nn.Module, prompt: str) -> str:
        """Continue a prompt; an empty one begins a document."""
        run, tokenizer = self.config.run, self.text.tokenizer
        ids = tokenizer.encode(prompt) or [tokenizer.special_ids[END]]
        written = generate(
            model,
            torch.tensor([ids], device=self.here.device),
            run.sample_tokens,
            temperature=run.temperature,
            generator=torch.Generator(self.here.device).manual_seed(run.seed),
            stop_token=tokenizer.special_ids[END],
        )
        return tokenizer.decode(written[0].tolist())

    @property
    def is_half(self) -> bool:
        """Whether the forward pass runs in bfloat16."""
        return self.config.training.precision == "bf16"

    def tokens_per_step(self) -> int:
        """Tokens that all processes read, and predict, for one step."""
        config = self.config
        return config.run.batch_size * config.training.accumulate * self.sizes.max_len

    def flops_per_step(self) -> float:
        """Operations of all processes in one step: forward, and twice that back."""
        n_windows = self.tokens_per_step() / self.sizes.max_len
        return 3 * n_windows * decoder_flops(self.sizes, self.sizes.max_len)

    def peak_flops(self) -> float:
        """What all processes do at best in a second, if each is as fast as this one."""
        dtype = torch.bfloat16 if self.is_half else torch.float32
        size = 8_192 if self.here.device.type == "cuda" else 1_024
        return self.here.world * measure_peak_flops(self.here.device, dtype=dtype, size=size)

    def memory(self) -> TrainingMemory:
        """Predict the bytes that a step takes on one process that has the whole model."""
        device, n_windows = self.here.device, self.config.run.batch_size // self.here.world

        def build() -> GPT:
            with device:
                return GPT(self.sizes)

        def loss(model: nn.Module) -> Tensor:
            shape = n_windows, self.sizes.max_len + 1
            tokens = torch.zeros(shape, dtype=torch.long, device=device)
            with torch.autocast(device.type, torch.bfloat16, enabled=self.is_half):
                logits = model(tokens[:, :-1])
                return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())

        optimizer = partial(AdamW, lr=self.config.training.learning_rate)
        return predict_training_memory(build, loss, optimizer)


def loss_of(model: nn.Module, tokens: Tensor) -> Tensor:
    """Next-token loss of windows of T tokens and the one after them, (B, T + 1), as stored.

    Every position of the model has a target, the last one, too.
    """
    tokens = tokens.long()
    return cross_entropy(model(tokens[:, :-1]), tokens[:, 1:])
