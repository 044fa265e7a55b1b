"""How cost grows with length: memory of attention, and time of a token while writing."""

from collections.abc import Callable
from functools import partial
from statistics import median

import torch

from benchmarks import peers
from benchmarks.race import Candidate, Row, race
from benchmarks.training import peak_bytes
from bigmodel_lib.generation.cache import cache_for, next_logits
from bigmodel_lib.layers.attention import attention_weights
from bigmodel_lib.layers.fused_attention import attend
from bigmodel_lib.layers.masks import causal_mask
from bigmodel_lib.models.gpt import GPT, GPTConfig

LENGTHS = (512, 1_024, 2_048, 4_096)
USED = (32, 128, 512)
AT_A_TIME = 16  # tokens


def measure(turns: int) -> list[Row]:
    """Peak bytes per token, forward and backward; microseconds per token by used length."""
    return [*_memory(), *_time(turns)]


def _memory() -> list[Row]:
    found = []
    for name, run, lengths in (
        ("fused", _fused, LENGTHS),
        ("with its matrix", _plain, LENGTHS[:3]),
    ):
        per_token = [peak_bytes(partial(run, n)) / n for n in lengths]
        for n, value in zip(lengths, per_token, strict=True):
            # Linear growth is a constant number of bytes per token: the ratio stays at one.
            target = 0.9 if name == "fused" and n == LENGTHS[-1] else None
            found.append(
                Row("attention: memory, 6 heads of 64", f"ours, {name}, {n:,} tokens", value / 1e3,
                    "kB/token", per_token[0] / value, f"{lengths[0]} tokens", target)
            )  # fmt: skip
    return found


def _inputs(n_tokens: int) -> list[torch.Tensor]:
    return [torch.randn(1, 6, n_tokens, 64, requires_grad=True) for _ in range(3)]


def _fused(n_tokens: int) -> None:
    attend(*_inputs(n_tokens), causal=True).sum().backward()


def _plain(n_tokens: int) -> None:
    q, k, v = _inputs(n_tokens)
    (attention_weights(q, k, causal_mask(n_tokens)) @ v).sum().backward()


def _time(turns: int) -> list[Row]:
    sizes = peers.GPT_SHAPE.__dict__ | {"max_len": 1_024}
    model = GPT(GPTConfig(**sizes)).eval()
    candidates = [
        Candidate(f"ours, {used} tokens in the cache", _write_after(model, used)) for used in USED
    ]
    seconds = race(candidates, 3 * turns)
    first = seconds[candidates[0].name]
    return [
        Row("GPT: one token, by length so far", candidate.name,
            AT_A_TIME / median(seconds[candidate.name]), "token/s",
            median(a / b for a, b in zip(first, seconds[candidate.name], strict=True)),
            f"{USED[0]} tokens", 0.9 if used == USED[-1] else None)
        for used, candidate in zip(USED, candidates, strict=True)
    ]  # fmt: skip


@torch.no_grad()
def _write_after(model: GPT, used: int) -> Callable[[], None]:
    cache = cache_for(model, 1, 1_024)
    tokens = torch.randint(peers.V, (1, used + 1))
    next_logits(model, tokens[:, :used], cache)

    @torch.no_grad()
    def write() -> None:
        for _ in range(AT_A_TIME):  # the first finds memory as others left it, not as writing does
            next_logits(model, tokens, cache)
            cache._used = [used] * len(cache._used)  # forget the token again

    return write
