"""One training step: forward, loss, backward, AdamW; 6 layers, width 384, 6 heads, 8 × 256 tokens.

Everybody's loss is the plain one, over the scores of the whole batch; ours is also measured with
`training/chunked_loss.py`, which the peers do not bring, and compiled together with its loss, as
`TrainingConfig(compile=True)` does; the peers are not compiled. The optimizer is PyTorch's fused
AdamW for everybody, so that the models are compared; our own one is in `optimizers`. Everybody
trains in a process of its own (`apart.py`). Peak memory is what PyTorch allocates during a step
beyond what it held before.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks import peers
from benchmarks.apart import race_apart
from benchmarks.race import Candidate, Row, rows
from bigmodel_lib.models.compiling import compiled
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama
from bigmodel_lib.training.chunked_loss import chunked_cross_entropy

BATCH, LENGTH = 8, 256
TARGETS = {"float32": 1.05, "bfloat16": 1.2}
OURS = {"GPT": partial(GPT, peers.GPT_SHAPE), "Llama": partial(Llama, peers.LLAMA_SHAPE)}
OTHER_GELU = "x-transformers, exact GELU"  # shown beside; the peers compute what GPT-2 computes
PEERS: dict[str, dict[str, Callable[[Any], nn.Module]]] = {
    "GPT": {
        "transformers": peers.transformers_gpt,
        "x-transformers": lambda _: peers.x_transformers(llama=False),
        OTHER_GELU: lambda _: peers.x_transformers(llama=False, exact_gelu=True),
    },
    "Llama": {
        "transformers": peers.transformers_llama,
        "litgpt": peers.litgpt_llama,
        "x-transformers": lambda _: peers.x_transformers(llama=True),
    },
}


def measure(turns: int) -> list[Row]:
    """GPT and Llama, in float32 and under bfloat16 autocast."""
    return [
        row for kind in PEERS for precision in TARGETS for row in _compare(kind, precision, turns)
    ]


def _compare(kind: str, precision: str, turns: int) -> list[Row]:
    candidates = [
        Candidate(name, partial(make_step, kind, name, precision), is_peer=name in PEERS[kind])
        for name in (*PEERS[kind], *WAYS)
    ]
    seconds, memory, left_out = race_apart(candidates, turns, also=peak_bytes)
    racing = [
        replace(candidate, is_peer=candidate.is_peer and candidate.name != OTHER_GELU)
        for candidate in candidates
        if candidate.name in seconds
    ]
    work = f"{kind}: training step, {precision}"
    targets = dict.fromkeys(WAYS, TARGETS[precision])
    found = rows(work, racing, seconds, BATCH * LENGTH, "token/s", targets=targets)
    return [replace(row, note=f"peak {memory[row.name] / 1e6:.0f} MB") for row in found] + [
        Row(work, name, None, "token/s", note=reason) for name, reason in left_out.items()
    ]


def make_step(kind: str, name: str, precision: str) -> Callable[[], None]:
    """Build a model, ours or a peer's, and return its training step.

    Raises:
        ImportError: If the peer is not installed.
        ValueError: If there is no compiler where one is needed.
    """
    ours = OURS[kind]()
    tokens = torch.randint(peers.V, (BATCH, LENGTH + 1))
    if name in WAYS:
        return _step(ours, WAYS[name](), tokens, precision)
    return _step(PEERS[kind][name](ours), peers.loss_of, tokens, precision)


def _in_chunks(model: nn.Module, tokens: Tensor) -> Tensor:
    """As `peers.loss_of`: the last token is a target only."""
    decoder: Any = model
    return chunked_cross_entropy(decoder.hidden(tokens[:, :-1]), decoder.to_logits, tokens[:, 1:])


WAYS: dict[str, Callable[[], Callable[..., Tensor]]] = {  # ours, to the loss
    "ours": lambda: peers.loss_of,
    "ours, loss in chunks": lambda: _in_chunks,
    "ours, compiled": lambda: compiled(peers.loss_of, torch.device("cpu")),
    "ours, compiled, loss in chunks": lambda: compiled(_in_chunks, torch.device("cpu")),
}


def _step(
    model: nn.Module, loss_of: Callable[..., Tensor], tokens: Tensor, precision: str
) -> Callable[[], None]:
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = loss_of(model, tokens)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

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
