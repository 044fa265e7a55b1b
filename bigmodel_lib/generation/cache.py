"""Key-value cache: what earlier tokens offered, kept so that it need not be computed again.

Paper:  Shazeer (2019), Fast Transformer Decoding: One Write-Head is All You Need, section 2.4,
        arXiv:1911.02150 (decoding one token at a time, with keys and values as state).
Twin:   bigmodel_lib/tf/generation/cache.py

A token's keys and values depend on the tokens before it only, so they never change; without a
cache, writing n tokens takes the work of reading 1 + 2 + … + n of them.

Shapes: B batch, T new positions, S positions so far, G key-value heads, K head width, L layers.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

FORMATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


class KeyValueStore:
    """Keys and values of all layers, in memory that is taken once.

    It is the `KeyValueCache` that `layers/attention.py` asks for.

    Args:
        batch: Number of sequences, B.
        max_len: Most positions that fit.
        n_layers: Number of attention layers, L.
        n_kv_heads: Number of key-value heads, G.
        d_head: Width of a head, K.
        device: Where to store; None for the default.
        dtype: Number format; None for the default. What comes in is rounded to it.

    Raises:
        ValueError: If a size is below one, or the dtype is not one of `FORMATS`.
    """

    def __init__(
        self,
        batch: int,
        max_len: int,
        *,
        n_layers: int,
        n_kv_heads: int,
        d_head: int,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        shape = (n_layers, batch, n_kv_heads, max_len, d_head)
        if min(shape) < 1:
            raise ValueError(
                f"a cache needs at least one of everything, got (L, B, G, S, K) {shape}"
            )
        if dtype not in (None, *FORMATS):
            raise ValueError(f"a cache's dtype must be one of {FORMATS}, got {dtype}")
        self.keys = torch.empty(shape, device=device, dtype=dtype)
        self.values = torch.empty(shape, device=device, dtype=dtype)
        self.max_len = max_len
        self._used = [0] * n_layers

    @property
    def length(self) -> int:
        """Number of positions that every layer has stored, S."""
        return self._used[-1]

    @property
    def nbytes(self) -> int:
        """Bytes taken, whether used or not."""
        return self.keys.nbytes + self.values.nbytes

    def update(self, layer_index: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append to one layer and return all that it holds.

        Args:
            layer_index: Which layer.
            k: New keys, (B, G, T, K).
            v: New values, (B, G, T, K).

        Returns:
            Keys and values so far, each (B, G, S, K): views, valid until the next change.

        Raises:
            ValueError: If they do not fit.
        """
        start = self._used[layer_index]
        end = start + k.shape[2]
        if end > self.max_len:
            raise ValueError(
                f"{k.shape[2]} positions after {start} exceed the cache's {self.max_len}"
            )
        slot = self.keys[layer_index, :, :, start:end]
        if k.shape != slot.shape:
            raise ValueError(
                f"the cache expects (B, G, T, K) = {tuple(slot.shape)}, got {tuple(k.shape)}"
            )
        slot.copy_(k)
        self.values[layer_index, :, :, start:end].copy_(v)
        self._used[layer_index] = end
        return self.keys[layer_index, :, :, :end], self.values[layer_index, :, :, :end]

    def make_room(self, n_new: int) -> int:
        """Count some more positions in all layers at once, which the caller fills.

        Args:
            n_new: How many.

        Returns:
            The first of them.

        Raises:
            ValueError: If they do not fit.
        """
        start = self.length
        if start + n_new > self.max_len:
            raise ValueError(f"{n_new} positions after {start} exceed the cache's {self.max_len}")
        self._used = [start + n_new] * len(self._used)
        return start

    def grow(self) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Make room for one position in all layers at once; the caller fills it.

        Returns:
            For every layer: the room for its new keys and for its new values, each (B, G, K); the
            keys and the values with that room, each (B, G, S, K). All are views, valid until the
            next change.

        Raises:
            ValueError: If the cache is full.
        """
        start = self.make_room(1)
        both = (self.keys, self.values)
        rooms = (tensor.select(3, start).unbind() for tensor in both)
        so_far = (tensor.narrow(3, 0, start + 1).unbind() for tensor in both)
        return zip(*rooms, *so_far, strict=True)

    def reorder(self, rows: Tensor) -> None:
        """Let sequence b go on from what sequence `rows[b]` has stored; (B,), integer."""
        for tensor in (self.keys, self.values):
            used = tensor[:, :, :, : self.length]
            used.copy_(used[:, rows])

    def clear(self) -> None:
        """Forget everything, and keep the memory."""
        self._used = [0] * len(self._used)


def cache_for(
    model: nn.Module, batch: int, max_len: int, *, dtype: torch.dtype | None = None
) -> KeyValueStore | None:
    """Make a cache of the right shape, device and dtype for a model of this library.

    Args:
        model: A model with a config.
        batch: Number of sequences, B.
        max_len: Most positions to store.
        dtype: Number format; None for the model's. 16 bits are half of what each token has to read.

    Returns:
        The cache, or None if the model's `forward` takes none.

    Raises:
        ValueError: If a dtype is asked for where there is no cache, or is not one of `FORMATS`.
    """
    if "cache" not in inspect.signature(model.forward).parameters:
        if dtype is None:
            return None
        raise ValueError(f"{type(model).__name__} keeps no keys and values: leave their dtype None")
    config: Any = model.config
    weight = next(model.parameters())
    return KeyValueStore(
        batch,
        max_len,
        n_layers=config.n_layers,
        n_kv_heads=getattr(config, "n_kv_heads", config.n_heads),
        d_head=config.d_head,
        device=weight.device,
        dtype=dtype or weight.dtype,
    )


def next_logits(model: nn.Module, tokens: Tensor, cache: KeyValueStore | None = None) -> Tensor:
    """Score what follows a text, reading only those tokens that the cache has not seen.

    Args:
        model: Maps tokens (B, T) to logits (B, T, V).
        tokens: The whole text so far, (B, S), integer.
        cache: Keys and values of a beginning of that text; None to read all of it.

    Returns:
        Scores of the next token, (B, V), in single precision.
    """
    if cache is None:
        return model(tokens)[:, -1].float()
    fresh = tokens[:, cache.length :]  # (B, T)
    decoder: Any = model
    if not hasattr(decoder, "hidden"):
        return decoder(fresh, cache=cache)[:, -1].float()
    # Only the last position is turned into V scores: a prompt's others are not asked for.
    return decoder.to_logits(decoder.hidden(fresh, cache=cache)[:, -1]).float()
