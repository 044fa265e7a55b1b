"""One training step: forward, loss, backward, AdamW; 6 layers, width 384, 6 heads, 8 × 256 tokens.

Everybody's loss is the plain one, over the scores of the whole batch; ours is also measured with
`training/chunked_loss.py`, which the peers do not bring, and compiled together with its loss, as
`TrainingConfig(compile=True)` does; the peers are not compiled. The optimizer is PyTorch's fused
AdamW for everybody, so that the models are compared; our own one is in `optimizers`. Peak memory is
what PyTorch allocates during a step beyond what it held before.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks import peers
from benchmarks.race import Candidate, Row, race, rows
from bigmodel_lib.models.compiling import compiled
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama
from bigmodel_lib.training.chunked_loss import chunked_cross_entropy

BATCH, LENGTH = 8, 256
TARGETS = {"float32": 1.05, "bfloat16": 1.2}
OTHER_GELU = "x-transformers, exact GELU"  # shown beside; the peers compute what GPT-2 computes


def measure(turns: int) -> list[Row]:
    """GPT and Llama, in float32 and under bfloat16 autocast."""
    gpt, llama = GPT(peers.GPT_SHAPE), Llama(peers.LLAMA_SHAPE)
    gpt_peers = {
        "transformers": partial(peers.transformers_gpt, gpt),
        "x-transformers": partial(peers.x_transformers, llama=False),
        OTHER_GELU: partial(peers.x_transformers, llama=False, exact_gelu=True),
    }
    llama_peers = {
        "transformers": partial(peers.transformers_llama, llama),
        "litgpt": partial(peers.litgpt_llama, llama),
        "x-transformers": partial(peers.x_transformers, llama=True),
    }
    return [
        row
        for kind, ours, builders in (("GPT", gpt, gpt_peers), ("Llama", llama, llama_peers))
        for precision in TARGETS
        for row in _compare(kind, ours, builders, precision, turns)
    ]


def _compare(
    kind: str, ours: nn.Module, builders: dict[str, Callable], precision: str, turns: int
) -> list[Row]:
    tokens = torch.randint(peers.V, (BATCH, LENGTH + 1))
    models, left_out = peers.installed(builders)
    candidates = [
        Candidate(name, _step(model, peers.loss_of, tokens, precision), is_peer=name != OTHER_GELU)
        for name, model in models.items()
    ]
    how, without_compiler = _ways(next(ours.parameters()).device)
    candidates += [
        Candidate(name, _step(ours, loss, tokens, precision)) for name, loss in how.items()
    ]
    seconds = race(candidates, turns)
    work = f"{kind}: training step, {precision}"
    targets = dict.fromkeys(how, TARGETS[precision])
    found = rows(work, candidates, seconds, BATCH * LENGTH, "token/s", targets=targets)
    memory = {candidate.name: peak_bytes(candidate.run) for candidate in candidates}
    found = [replace(row, note=f"peak {memory[row.name] / 1e6:.0f} MB") for row in found]
    return (
        found
        + [Row(work, name, None, "token/s", note="left out") for name in left_out]
        + [
            Row(work, name, None, "token/s", note=reason)
            for name, reason in without_compiler.items()
        ]
    )


def _in_chunks(model: nn.Module, tokens: Tensor) -> Tensor:
    """As `peers.loss_of`: the last token is a target only."""
    decoder: Any = model
    return chunked_cross_entropy(decoder.hidden(tokens[:, :-1]), decoder.to_logits, tokens[:, 1:])


def _ways(device: torch.device) -> tuple[dict[str, Callable[..., Tensor]], dict[str, str]]:
    """Our ways to the loss; and those that are not to be had here, with the reason."""
    ways = {"ours": peers.loss_of, "ours, loss in chunks": _in_chunks}
    try:
        return ways | {"ours, compiled": compiled(peers.loss_of, device)}, {}
    except ValueError as error:
        return ways, {"ours, compiled": f"left out: {error}"}


def _step(
    model: nn.Module, loss_of: Callable[..., Tensor], tokens: Tensor, precision: str
) -> Callable[[], None]:
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = loss_of(model, tokens)
        loss.backward()
        optimizer.step()

    return step


def peak_bytes(run: Callable[[], object]) -> int:
    """The most memory that PyTorch held at once during `run`, beyond what it held before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorder:
        run()
    held = highest = 0
    for event in recorder.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            highest = max(highest, held)
    return highest
