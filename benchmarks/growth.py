"""How cost grows with length: memory of attention, and time of a token while writing."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from benchmarks import peers
from benchmarks.race import Candidate, Row, race, rows
from benchmarks.training import peak_bytes
from bigmodel_lib.generation.cache import cache_for, next_logits
from bigmodel_lib.layers.attention import attention_weights
from bigmodel_lib.layers.fused_attention import attend
from bigmodel_lib.layers.masks import causal_mask
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama

LENGTHS = (512, 1_024, 2_048, 4_096)
USED = (32, 128, 512)
AT_A_TIME = 16  # tokens
MAX_LEN = 1_024


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
    """Of a GPT, ours and transformers', and of a Llama with a third of the keys and values."""
    gpt = GPT(replace(peers.GPT_SHAPE, max_len=MAX_LEN)).eval()
    grouped = Llama(replace(peers.LLAMA_SHAPE, max_len=MAX_LEN, n_kv_heads=2)).eval()
    models, left_out = peers.installed({"transformers": partial(peers.transformers_gpt, gpt)})
    works: dict[tuple[str, str], Callable[[int], Callable[[], None]]] = {
        (kind, name): partial(_write_after, model, dtype)
        for kind, model in {"GPT": gpt, "Llama, 2 of 6 key-value heads": grouped}.items()
        for name, dtype in {"ours": None, "ours, cache in bfloat16": torch.bfloat16}.items()
    } | {("GPT", name): partial(_theirs_after, m.eval()) for name, m in models.items()}
    found = []
    for (kind, name), write_after in works.items():
        work = f"{kind}: one token, by length so far"
        candidates = [Candidate(f"{name}, {used} before it", write_after(used)) for used in USED]
        seconds = race(candidates, 3 * turns)
        first, *_, last = (candidate.name for candidate in candidates)
        targets = {last: 0.9} if name.startswith("ours") else {}
        found += rows(
            *(work, candidates, seconds, AT_A_TIME, "token/s"), targets=targets, reference=first
        )
    return found + [
        Row("GPT: one token, by length so far", name, None, "token/s", note="left out")
        for name in left_out
    ]


@torch.no_grad()
def _write_after(model: nn.Module, dtype: torch.dtype | None, used: int) -> Callable[[], None]:
    cache = cache_for(model, 1, MAX_LEN, dtype=dtype)
    tokens = torch.randint(peers.V, (1, used + 1))
    next_logits(model, tokens[:, :used], cache)

    @torch.no_grad()
    def write() -> None:
        for _ in range(AT_A_TIME):  # the first finds memory as others left it, not as writing does
            next_logits(model, tokens, cache)
            cache._used = [used] * len(cache._used)  # forget the token again

    return write


@torch.no_grad()
def _theirs_after(theirs: nn.Module, used: int) -> Callable[[], None]:
    tokens = torch.randint(peers.V, (1, used + 1))
    cache = theirs(tokens[:, :used], use_cache=True).past_key_values

    @torch.no_grad()
    def write() -> None:
        for _ in range(AT_A_TIME):
            theirs(tokens[:, used:], past_key_values=cache, use_cache=True)
            cache.crop(-1)

    return write
