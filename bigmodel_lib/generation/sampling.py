"""Writing with a language model, one token at a time.

Papers:  Fan, Lewis & Dauphin (2018), Hierarchical Neural Story Generation, section 5
         (top-k), arXiv:1805.04833; Holtzman et al. (2020), The Curious Case of Neural Text
         Degeneration, section 3.1 (top-p), arXiv:1904.09751.
Chapter: chapters/01_background/02_ten_minute_tour.ipynb
Twin:    bigmodel_lib/tf/generation/sampling.py

Shapes:  B batch, T tokens so far, V vocabulary.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bigmodel_lib.generation.recurrent import memory_for, score_next


def keep_top_k(logits: Tensor, top_k: int) -> Tensor:
    """Leave the `top_k` largest logits, and whatever ties with the last of them; the rest is -inf.

    Args:
        logits: Unnormalised log-probabilities, (..., V).
        top_k: How many to keep; more than V keeps all.
    """
    kth_largest = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < kth_largest, -torch.inf)


def keep_top_p(logits: Tensor, top_p: float) -> Tensor:
    """Leave the smallest set of tokens whose probabilities reach `top_p`; the rest is -inf.

    Args:
        logits: Unnormalised log-probabilities, (..., V).
        top_p: Probability mass to reach, in (0, 1]. At least one token stays.
    """
    ascending, order = logits.sort()
    # Summed from the smallest up, so that the long tail is not lost to rounding.
    dropped = ascending.softmax(-1).cumsum(-1) <= 1.0 - top_p
    dropped[..., -1] = False
    return logits.masked_fill(dropped.scatter(-1, order, dropped), -torch.inf)


def next_token(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw one token from each row of scores: softmax(logits / temperature), truncated.

    Args:
        logits: Scores of the next token, (B, V).
        temperature: Below 1 sharpens, above 1 flattens, 0 takes the largest logit.
        top_k: Draw only from this many tokens.
        top_p: Draw only from the tokens that make up this probability mass, after `top_k`.
        generator: Source of randomness, on the device of the logits.

    Returns:
        Token ids, (B, 1).

    Raises:
        ValueError: If an argument is out of its range, or a score is NaN.
    """
    _check_sampling(temperature, top_k, top_p)
    if logits.isnan().any():
        raise ValueError(f"logits hold {int(logits.isnan().sum())} NaN of {logits.numel()} values")
    if temperature == 0.0:
        return logits.argmax(-1, keepdim=True)
    logits = logits / temperature
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None and top_p < 1.0:
        logits = keep_top_p(logits, top_p)
    return torch.multinomial(logits.softmax(-1), num_samples=1, generator=generator)


@torch.no_grad()
def generate(  # noqa: PLR0913 (each has its own default; most calls name one or two)
    model: nn.Module,
    tokens: Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    stop_token: int | None = None,
    cache_dtype: torch.dtype | None = None,
) -> Tensor:
    """Continue every prompt of a batch, by `max_new_tokens` tokens at most.

    The model is read in evaluation mode, and left in the mode it came in. A model that takes a
    key-value cache gets one, and a recurrent model keeps its state. Once the text is longer than
    `model.config.max_len`, the model sees the last `max_len` tokens only.

    Args:
        model: Maps token ids (B, T) to next-token logits (B, T, V).
        tokens: The prompts, (B, T), integer, T at least 1.
        max_new_tokens: How many tokens to add to each prompt.
        temperature: As in `next_token`, like the three arguments below.
        top_k: Draw only from this many tokens.
        top_p: Draw only from the tokens that make up this probability mass.
        generator: Source of randomness.
        stop_token: Token that ends a text once it is drawn; None if texts end by length only.
        cache_dtype: Number format of the cache; None for the model's.

    Returns:
        Prompts and continuations, (B, T + max_new_tokens), or shorter if all texts have ended;
        one that has ended before others is filled up with `stop_token`.

    Raises:
        ValueError: If a prompt is empty, a sampling argument is out of its range, no text can
            ever end with `stop_token`, or `cache_dtype` does not suit the model.
    """
    check_prompt(tokens, max_new_tokens)
    check_stop(model, stop_token)
    _check_sampling(temperature, top_k, top_p)
    batch, n_tokens = tokens.shape
    longest = n_tokens + max(max_new_tokens - 1, 0)  # the last token is written, not read
    max_len = getattr(model.config, "max_len", longest)  # a recurrent model has no limit
    memory = None
    if n_tokens <= max_len:
        memory = memory_for(model, batch, min(longest, max_len), cache_dtype=cache_dtype)
    ended = torch.zeros(batch, 1, dtype=torch.bool, device=tokens.device)
    with evaluating(model):
        for _ in range(max_new_tokens):
            if tokens.shape[1] <= max_len:
                logits = score_next(model, tokens, memory)  # (B, V)
            else:  # the window slides, every position changes, and no cache can help
                logits = score_next(model, tokens[:, -max_len:])
            chosen = next_token(
                logits, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator
            )
            if stop_token is not None:
                chosen = chosen.masked_fill(ended, stop_token)
                ended = chosen == stop_token  # as it stays for those that are filled up
            tokens = torch.cat([tokens, chosen], dim=1)  # (B, T + 1)
            if stop_token is not None and ended.all():
                break
    return tokens


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch every sub-module to evaluation, and back to the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def check_prompt(tokens: Tensor, max_new_tokens: int) -> None:
    """Raise a `ValueError` unless `tokens` is a batch of prompts that can be continued."""
    if tokens.ndim != 2 or tokens.numel() == 0:
        raise ValueError(
            f"tokens must be (B, T) with at least one prompt of at least one token, "
            f"got shape {tuple(tokens.shape)}"
        )
    if tokens.is_floating_point():
        raise ValueError(f"tokens must be integers, got {tokens.dtype}")
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be at least 0, got {max_new_tokens}")


def check_stop(model: nn.Module, stop_token: int | None) -> None:
    """Raise a `ValueError` if `stop_token` is none of the model's tokens."""
    vocab_size = getattr(model.config, "vocab_size", None)
    if stop_token is None or (stop_token >= 0 and (vocab_size is None or stop_token < vocab_size)):
        return
    allowed = "at least 0" if vocab_size is None else f"in 0..{vocab_size - 1}"
    raise ValueError(f"stop_token must be {allowed}, got {stop_token}")


def _check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0.0 <= temperature < float("inf"):
        raise ValueError(f"temperature must be at least 0 and finite, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, got {top_k}")
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise ValueError(f"top_p must be in (0, 1], got {top_p}")
