"""Writing 128 tokens after a prompt of 32, one text at a time, with a key-value cache, greedily.

The models are first trained for a moment, so that rounding their weights has something to spoil:
the notes say, for text that was kept back, how far the probabilities of the next token move from
those of the plain model (Kullback-Leibler divergence, in nats per token) and what the loss becomes.
"""

import copy
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import peers
from benchmarks.race import Candidate, Row, race, rows
from bigmodel_lib.data.bpe import train_bpe
from bigmodel_lib.data.text import load_text
from bigmodel_lib.generation.cache import cache_for
from bigmodel_lib.generation.native import NativeDecoder
from bigmodel_lib.generation.packed import PackedDecoder
from bigmodel_lib.generation.sampling import generate
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama

N_PROMPT, N_NEW, N_STEPS = 32, 128, 100
LEAN = "ours, plain, cache in bfloat16"
FULL = {"ours, packed float32": 1.5, "ours, native float32": 1.5}  # of the fastest peer
ROUNDED = {"ours, native bfloat16": 3.0, "ours, native int8": 4.0}  # of transformers in float32


def measure(turns: int) -> list[Row]:
    """GPT and Llama: peers, plain, packed and native in three formats each, and bfloat16."""
    text = load_text()
    tokens = torch.tensor(train_bpe(text, peers.V).encode(text))
    n_train = int(0.9 * len(tokens))
    train, kept_back = tokens[:n_train], tokens[n_train:]
    return [
        *_compare("GPT", GPT(peers.GPT_SHAPE), train, kept_back, turns),
        *_compare("Llama", Llama(peers.LLAMA_SHAPE), train, kept_back, turns),
    ]


def _compare(
    kind: str, model: nn.Module, train: Tensor, kept_back: Tensor, turns: int
) -> list[Row]:
    _teach(model, train)
    model.eval()
    prompt = kept_back[None, :N_PROMPT]
    ours: dict[str, nn.Module] = {
        "ours, plain": model,
        LEAN: model,
        "ours, packed float32": PackedDecoder(model),
        "ours, packed float16": PackedDecoder(model, weights="float16"),
        "ours, packed int8": PackedDecoder(model, weights="int8"),
        "ours, native float32": NativeDecoder(model),
        "ours, native bfloat16": NativeDecoder(model, weights="bfloat16"),
        "ours, native int8": NativeDecoder(model, weights="int8"),
        "ours, plain in bfloat16": copy.deepcopy(model).bfloat16(),
    }
    writers, left_out = _peers(kind, model, prompt)
    candidates = [Candidate(name, run, is_peer=True) for name, run in writers.items()]
    candidates += [
        Candidate(
            name,
            partial(generate, m, prompt, N_NEW, temperature=0.0, cache_dtype=_cache_dtype(name)),
        )
        for name, m in ours.items()
    ]
    seconds = race(candidates, turns)

    work, first = f"{kind}: write {N_NEW} tokens", "transformers, float32"
    found = rows(work, candidates, seconds, N_NEW, "token/s", targets=FULL)
    rounded = rows(work, candidates, seconds, N_NEW, "token/s", targets=ROUNDED, reference=first)
    rounding = ("float16", "int8")  # bfloat16 ends so too
    result = [b if b.name.endswith(rounding) else a for a, b in zip(found, rounded, strict=True)]
    expected = _log_probabilities(model, kept_back)
    notes = {
        name: _distance(_log_probabilities(m, kept_back, _cache_dtype(name)), expected, kept_back)
        for name, m in ours.items()
    }
    result = [replace(row, note=notes.get(row.name, "")) for row in result]
    return result + [Row(work, name, None, "token/s", note="left out") for name in left_out]


def _peers(kind: str, model: nn.Module, prompt: Tensor) -> tuple[dict, list[str]]:
    if kind == "GPT":
        builders = {
            "transformers, float32": partial(peers.transformers_gpt, model),
            "x-transformers, float32": partial(peers.x_transformers, llama=False),
        }
    else:
        builders = {
            "transformers, float32": partial(peers.transformers_llama, model),
            "litgpt, float32": partial(peers.litgpt_llama, model),
            "x-transformers, float32": partial(peers.x_transformers, llama=True),
        }
    models, left_out = peers.installed(builders)
    how = {"transformers": _by_transformers, "litgpt": _by_litgpt, "x-transformers": _by_x}
    return {
        name: how[name.partition(",")[0]](theirs.eval(), prompt) for name, theirs in models.items()
    }, left_out


def _by_transformers(model: nn.Module, prompt: Tensor) -> partial:
    return partial(
        model.generate, prompt, attention_mask=torch.ones_like(prompt), pad_token_id=0,
        max_new_tokens=N_NEW, do_sample=False,
    )  # fmt: skip


def _by_litgpt(model: nn.Module, prompt: Tensor) -> partial:
    from litgpt.generate.base import generate as generate_by_litgpt

    n_total = prompt.shape[1] + N_NEW
    model.max_seq_length = n_total
    model.set_kv_cache(batch_size=1)
    return partial(generate_by_litgpt, model, prompt[0], n_total, temperature=0.0, top_k=1)


def _by_x(model: nn.Module, prompt: Tensor) -> partial:
    from x_transformers import AutoregressiveWrapper

    return partial(
        AutoregressiveWrapper(model).generate, prompt, N_NEW, temperature=0.0, cache_kv=True
    )


def _teach(model: nn.Module, tokens: Tensor, n_rows: int = 8, length: int = 64) -> None:
    """A hundred steps: enough to tell frequent from rare."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(N_STEPS):
        starts = torch.randint(len(tokens) - length, (n_rows, 1), generator=generator)
        optimizer.zero_grad()
        peers.loss_of(model, tokens[starts + torch.arange(length)]).backward()
        optimizer.step()


def _cache_dtype(name: str) -> torch.dtype | None:
    return torch.bfloat16 if name == LEAN else None


@torch.no_grad()
def _log_probabilities(
    model: nn.Module, tokens: Tensor, cache_dtype: torch.dtype | None = None
) -> Tensor:
    """Of every next token, (N, V), read through a cache."""
    inputs = _rows(tokens)[:, :-1]
    cache = cache_for(model, *inputs.shape, dtype=cache_dtype)
    return model(inputs, cache=cache).float().log_softmax(-1).flatten(0, 1)


def _distance(found: Tensor, expected: Tensor, tokens: Tensor) -> str:
    divergence = F.kl_div(found, expected, log_target=True, reduction="batchmean")
    loss = F.nll_loss(found, _rows(tokens)[:, 1:].flatten())
    return f"loss {loss:.4f}, KL {divergence.abs():.1e}"


def _rows(tokens: Tensor, n_rows: int = 16, length: int = 128) -> Tensor:
    return tokens[: n_rows * length].view(n_rows, length)
