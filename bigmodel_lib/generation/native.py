"""A decoder in machine code: one call of C++ for each token that is written.

Paper: Dettmers et al. (2022), LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale,
       section 3, arXiv:2208.07339 (vector-wise quantization: one scale per row).

For one token of a small model PyTorch calls a hundred and fifty kernels, and half of the time goes
by on the way into and out of them. `native.cpp` is one loop over the layers, whose products read
the weights about as fast as memory gives them. It takes texts of one length, without masks, on a
machine with a C++ compiler; `packed.py` is for all else.

Kept in float32: embeddings, norms, biases, sums, attention and the key-value cache.

Shapes: B batch, T new positions, D model width, V vocabulary, I inputs, O outputs.
"""

from ctypes import byref
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bigmodel_lib.generation import native_code
from bigmodel_lib.generation.cache import KeyValueStore, cache_for
from bigmodel_lib.generation.packed import rotary_angles
from bigmodel_lib.generation.packing import round_to_int8
from bigmodel_lib.layers.shapes import check_shape
from bigmodel_lib.models.checks import check_tokens
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama

Format = Literal["float32", "bfloat16", "int8"]
FORMATS = ("float32", "bfloat16", "int8")  # in the order that native.cpp counts them


class NativeDecoder(nn.Module):
    """A GPT or a Llama for `generate` and `beam_search`; call it as the model it was made from.

    The first one in a process takes a second or two, in which a C++ compiler runs.

    Args:
        model: On a CPU, in float32. All but its token embedding is copied.
        weights: How to keep the matrices. "float32" gives the model's own results; "bfloat16" and
            "int8" take a half and a quarter of the memory, and round.

    Raises:
        ValueError: If the model is of another kind, place or dtype, `weights` is unknown, a weight
            is not finite, or there is no C++ compiler that works.
    """

    def __init__(self, model: GPT | Llama, *, weights: Format = "float32") -> None:
        super().__init__()
        _check_model(model, weights)
        self._code = native_code.load()
        self.config = model.config
        self.token_embed = model.token_embed
        self._layout = _Layout(weights)
        self._decoder = self._layout.decoder(model)

    def forward(
        self,
        tokens: Tensor,
        attn_mask: Tensor | None = None,
        *,
        positions: Tensor | None = None,
        cache: KeyValueStore | None = None,
    ) -> Tensor:
        """Return next-token logits (B, T, V); arguments and errors as in `hidden`."""
        return self.to_logits(self.hidden(tokens, attn_mask, positions=positions, cache=cache))

    @torch.no_grad()
    def hidden(
        self,
        tokens: Tensor,
        attn_mask: Tensor | None = None,
        *,
        positions: Tensor | None = None,
        cache: KeyValueStore | None = None,
    ) -> Tensor:
        """Return what `to_logits` turns into logits, (B, T, D).

        Args:
            tokens: Token ids, (B, T), integer.
            attn_mask: None; others are refused.
            positions: None, to count on from the cache; others are refused.
            cache: Keys and values of the tokens before these; None if these are the first.

        Raises:
            ValueError: If there is a mask, the text gets longer than `config.max_len`, an id is out
                of range, or the cache is of other sizes.
        """
        if attn_mask is not None or positions is not None:
            raise ValueError(
                "a native decoder takes neither attn_mask nor positions: use PackedDecoder"
            )
        check_tokens(tokens, self.config.max_len, offset=0 if cache is None else cache.length)
        batch, n_new = tokens.shape
        if cache is None:
            cache = cache_for(self, batch, n_new)
            assert cache is not None, "cache_for gives one to who takes one"
        x = self.token_embed(tokens)  # (B, T, D)
        self._check_memory(x, cache)
        room = native_code.Cache(
            cache.keys.data_ptr(), cache.values.data_ptr(), cache.max_len, cache.make_room(n_new)
        )
        self._code.read_tokens(
            self._decoder, x.data_ptr(), batch, n_new, byref(room), torch.get_num_threads()
        )
        return x

    @torch.no_grad()
    def to_logits(self, hidden: Tensor) -> Tensor:
        """Map (..., D) to (..., V)."""
        check_shape("hidden", hidden, "...", self.config.d_model)
        _check_plain("hidden", hidden)
        hidden = hidden.contiguous()
        n_rows = hidden.numel() // self.config.d_model
        logits = hidden.new_empty(*hidden.shape[:-1], self.config.vocab_size)
        self._code.score(
            self._decoder, hidden.data_ptr(), n_rows, logits.data_ptr(), torch.get_num_threads()
        )
        return logits

    def _check_memory(self, x: Tensor, cache: KeyValueStore) -> None:
        """Refuse what machine code would misread: it takes addresses at their word."""
        c = self.config
        n_kv_heads = getattr(c, "n_kv_heads", c.n_heads)
        sizes = (c.n_layers, len(x), n_kv_heads, cache.max_len, c.d_head)
        for tensor in (cache.keys, cache.values):
            if tensor.shape != sizes:
                raise ValueError(
                    f"the cache must be (L, B, G, S, K) = {sizes}, got {tuple(tensor.shape)}"
                )
            if not tensor.is_contiguous():
                raise ValueError(f"the cache must be one piece of memory, got {tensor.stride()}")
        for name, tensor in {"embeddings": x, "keys": cache.keys, "values": cache.values}.items():
            _check_plain(name, tensor)


class _Layout:
    """Copies of a model's weights, and records of where they are; the copies live as long as it."""

    def __init__(self, weights: Format) -> None:
        self.weights = weights
        self.kept: list[Tensor] = []

    def decoder(self, model: GPT | Llama) -> native_code.Decoder:
        c = model.config
        blocks = (native_code.Block * c.n_layers)(*map(self.block, model.blocks))
        return native_code.Decoder(
            format=FORMATS.index(self.weights),
            n_layers=c.n_layers,
            n_heads=c.n_heads,
            n_kv_heads=getattr(c, "n_kv_heads", c.n_heads),
            d_head=c.d_head,
            positions=self.keep(
                model.position_embed.table.weight if isinstance(model, GPT) else None
            ),
            angles=self.keep(rotary_angles(model) if isinstance(model, Llama) else None),
            blocks=blocks,
            norm=self.norm(model.norm),
            to_logits=self.matrix(model.to_logits),
        )

    def block(self, block: Any) -> native_code.Block:
        """Of a `GPTBlock` or a `LlamaBlock`."""
        ff = block.ff
        return native_code.Block(
            norm_attn=self.norm(block.norm_attn),
            to_qkv=self.matrix(block.attn.to_qkv),
            to_out=self.matrix(block.attn.to_out),
            norm_ff=self.norm(block.norm_ff),
            up=self.matrix(ff.to_gate_up if hasattr(ff, "to_gate_up") else ff.up),
            down=self.matrix(ff.down),
        )

    def norm(self, layer: Any) -> native_code.Norm:
        return native_code.Norm(
            weight=self.keep(layer.weight),
            bias=self.keep(getattr(layer, "bias", None)),
            eps=layer.eps,
        )

    def matrix(self, layer: nn.Linear) -> native_code.Matrix:
        weight, scale = layer.weight.detach(), None
        if self.weights == "bfloat16":
            weight = weight.bfloat16()
        if self.weights == "int8":
            weight, scale = round_to_int8(weight)
        return native_code.Matrix(
            weights=self.keep(side_by_side(weight)),
            scale=self.keep(scale),
            bias=self.keep(layer.bias),
            n_out=layer.out_features,
            n_in=layer.in_features,
        )

    def keep(self, tensor: Tensor | None) -> int | None:
        """Copy a tensor, and return its address; None for None."""
        if tensor is None:
            return None
        self.kept.append(tensor.detach().clone(memory_format=torch.contiguous_format))
        return self.kept[-1].data_ptr()


def side_by_side(weight: Tensor) -> Tensor:
    """Order a matrix as it will be read: for each input, the weights of a block of outputs.

    Args:
        weight: One row for each output, (O, I).

    Returns:
        (O / BLOCK, I, BLOCK), O being rounded up with rows of zeros.
    """
    n_missing = -len(weight) % native_code.BLOCK
    return F.pad(weight, (0, 0, 0, n_missing)).unflatten(0, (-1, native_code.BLOCK)).mT


def _check_model(model: nn.Module, weights: str) -> None:
    if not isinstance(model, GPT | Llama):
        raise ValueError(f"only a GPT or a Llama can be made native, got {type(model).__name__}")
    if weights not in FORMATS:
        raise ValueError(f"weights must be 'float32', 'bfloat16' or 'int8', got {weights!r}")
    for name, tensor in model.named_parameters():
        _check_plain(name, tensor)
        if not tensor.isfinite().all():
            n_bad = int((~tensor.isfinite()).sum())
            raise ValueError(f"{name} holds {n_bad} values that are NaN or infinite")


def _check_plain(name: str, tensor: Tensor) -> None:
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise ValueError(f"{name} must be float32 on a cpu, got {tensor.dtype} on {tensor.device}")
