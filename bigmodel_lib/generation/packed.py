"""Packed weights: a decoder laid out once for writing, where every product has a single row.

Paper: Dettmers et al. (2022), LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale,
       section 3, arXiv:2208.07339 (vector-wise quantization: one scale per row).

To write one token, every weight is read once and used once, so the time is that of reading memory:
half the bytes are nearly half the time. Here the weights are copied into the order, and if asked
into the number format, that the matrix kernels read fastest; what happens between the products is
the model's own arithmetic, without the checks of a layer that anybody may call. A packed decoder
stands in for its model in `generate`, `generate_padded` and `beam_search`; it cannot be trained.

Kept at full precision: embeddings, norms, attention and the key-value cache.

Shapes: B batch, T new positions, S positions so far, D model width, H heads, G key-value heads,
        K head width, I inputs, O outputs, V vocabulary.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bigmodel_lib.generation.cache import KeyValueStore
from bigmodel_lib.layers.attention import merge_heads
from bigmodel_lib.layers.fused_attention import attend
from bigmodel_lib.models.checks import check_tokens
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama

Format = Literal["float32", "float16", "int8"]
Map = Callable[[Tensor], Tensor]
"""(..., I) -> (..., O)."""


class PackedBlock(NamedTuple):
    """What a block does, as functions of vectors."""

    norm_attn: Map
    to_qkv: Map
    to_out: Map
    norm_ff: Map
    ff: Map


class PackedDecoder(nn.Module):
    """A GPT or a Llama whose matrices are packed; call it as the model it was made from.

    Args:
        model: On a CPU, in float32. Its matrices are copied: both take memory until it is dropped.
        weights: "float32" gives the model's own results; "float16" (products still summed in
            float32) and "int8" (inputs and results in bfloat16) take a half and a quarter of the
            memory, and round. `benchmarks/README.md` has what that wins and loses.

    Raises:
        ValueError: If the model is of another kind, place or dtype, or `weights` is unknown, or
            this machine has no kernel for it, or a weight does not fit into float16.
    """

    def __init__(self, model: GPT | Llama, *, weights: Format = "float32") -> None:
        super().__init__()
        _check_packable(model, weights)
        self.config = model.config
        self.token_embed = model.token_embed
        self.embed_position = model.position_embed if isinstance(model, GPT) else None
        self.rotary = None if isinstance(model, GPT) else model.rotary
        self.n_query_heads = model.config.n_heads
        self.n_kv_heads = getattr(model.config, "n_kv_heads", model.config.n_heads)
        with torch.no_grad():
            self.packed_blocks = [_pack_block(block, weights) for block in model.blocks]
            self.norm = _norm(model.norm)
            self.to_logits = pack(model.to_logits, weights)

    def forward(
        self,
        tokens: Tensor,
        attn_mask: Tensor | None = None,
        *,
        positions: Tensor | None = None,
        cache: KeyValueStore | None = None,
    ) -> Tensor:
        """Return next-token logits (B, T, V); arguments and errors as in `GPT.forward`."""
        return self.to_logits(self.hidden(tokens, attn_mask, positions=positions, cache=cache))

    @torch.inference_mode()
    def hidden(
        self,
        tokens: Tensor,
        attn_mask: Tensor | None = None,
        *,
        positions: Tensor | None = None,
        cache: KeyValueStore | None = None,
    ) -> Tensor:
        """Return what `forward` turns into logits, (B, T, D)."""
        n_before = 0 if cache is None else cache.length
        check_tokens(tokens, self.config.max_len, offset=n_before)
        if positions is None:
            positions = torch.arange(n_before, n_before + tokens.shape[1], device=tokens.device)

        x = self.token_embed(tokens)  # (B, T, D)
        if self.embed_position is not None:
            x = x + self.embed_position(positions)
        rotation = None if self.rotary is None else _signed(*self.rotary(positions))
        for i, block in enumerate(self.packed_blocks):
            q, k, v = self._heads(block.to_qkv(block.norm_attn(x)), rotation)
            if cache is not None:
                k, v = cache.update(i, k, v)  # each (B, G, S, K)
            y = attend(q, k, v, attn_mask, causal=True)  # (B, H, T, K)
            x = x + block.to_out(merge_heads(y))
            x = x + block.ff(block.norm_ff(x))
        return self.norm(x)

    def _heads(self, qkv: Tensor, rotation: tuple[Tensor, Tensor] | None) -> tuple[Tensor, ...]:
        """Queries (B, H, T, K), keys and values (B, G, T, K), turned if positions are rotary."""
        n_q, n_kv = self.n_query_heads, self.n_kv_heads
        heads = qkv.view(*qkv.shape[:2], -1, self.config.d_head).transpose(
            1, 2
        )  # (B, H + 2G, T, K)
        if rotation is None:
            return heads.split((n_q, n_kv, n_kv), dim=1)
        turned, v = heads.split((n_q + n_kv, n_kv), dim=1)
        cos, sin = rotation
        turned = torch.addcmul(turned * cos, turned.roll(turned.shape[-1] // 2, -1), sin)
        return *turned.split((n_q, n_kv), dim=1), v


def pack(layer: nn.Linear, weights: Format) -> Map:
    """Copy a linear layer for the kernel that multiplies few rows fastest.

    Args:
        layer: Maps (..., I) to (..., O).
        weights: Number format of the copy.
    """
    weight, bias = layer.weight.detach(), layer.bias
    if weights == "float32":
        by_input = weight.t().contiguous().t()  # (O, I), the O weights of an input side by side
        return lambda x: F.linear(x, by_input, bias)
    if weights == "float16":
        matrix = torch.ops.quantized.linear_prepack_fp16(weight, bias)
        multiply = torch.ops.quantized.linear_dynamic_fp16.default
        return lambda x: multiply(x, matrix)
    scale = weight.abs().amax(dim=1).clamp(min=torch.finfo(weight.dtype).tiny) / 127  # (O,)
    rounded, scale = (weight / scale[:, None]).round().to(torch.int8), scale.bfloat16()
    # The kernel reads inputs 32 at a time, beyond the end of the memory if need be: add zeros.
    n_missing = -weight.shape[1] % 32
    rounded = F.pad(rounded, (0, n_missing))  # (O, I + missing)
    return lambda x: _multiply_int8(x, rounded, scale, bias)


def _multiply_int8(x: Tensor, rounded: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """(..., I) -> (..., O). The kernel scales each sum at its end; it reads and writes bfloat16."""
    rows = x.reshape(-1, x.shape[-1]).bfloat16()  # (N, I)
    if n_missing := rounded.shape[1] - rows.shape[1]:
        rows = F.pad(rows, (0, n_missing))
    y = torch.ops.aten._weight_int8pack_mm.default(rows, rounded, scale)  # (N, O)
    y = y.float() if bias is None else y + bias
    return y.view(*x.shape[:-1], -1)


def _pack_block(block: Any, weights: Format) -> PackedBlock:
    attn, ff = block.attn, block.ff
    down = pack(ff.down, weights)
    if hasattr(ff, "to_gate_up"):
        enter, curve = pack(ff.to_gate_up, weights), _gated
    else:
        enter, curve = pack(ff.up, weights), ff.activation
    return PackedBlock(
        norm_attn=_norm(block.norm_attn),
        to_qkv=pack(attn.to_qkv, weights),
        to_out=pack(attn.to_out, weights),
        norm_ff=_norm(block.norm_ff),
        ff=lambda x: down(curve(enter(x))),
    )


def _signed(cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    """Put the sign of `positions.rotate` into the sines: the other half is then only moved over."""
    first, second = sin.chunk(2, dim=-1)  # each (..., K / 2)
    return cos, torch.cat([-first, second], dim=-1)


def _gated(x: Tensor) -> Tensor:
    """(..., 2F) -> (..., F), as in `feed_forward.SwiGLU`."""
    gate, up = x.chunk(2, dim=-1)
    return F.silu(gate) * up


def _norm(layer: Any) -> Map:
    weight, eps = layer.weight, layer.eps
    if not hasattr(layer, "bias"):
        return lambda x: F.rms_norm(x, weight.shape, weight, eps)
    return lambda x: F.layer_norm(x, weight.shape, weight, layer.bias, eps)


def _check_packable(model: nn.Module, weights: str) -> None:
    if not isinstance(model, GPT | Llama):
        raise ValueError(f"only a GPT or a Llama can be packed, got {type(model).__name__}")
    if weights not in ("float32", "float16", "int8"):
        raise ValueError(f"weights must be 'float32', 'float16' or 'int8', got {weights!r}")
    sample = model.to_logits.weight
    if sample.device.type != "cpu" or sample.dtype != torch.float32:
        raise ValueError(f"packing needs float32 on a cpu, got {sample.dtype} on {sample.device}")
    if weights == "float16" and "fbgemm" not in torch.backends.quantized.supported_engines:
        raise ValueError("weights='float16' needs PyTorch's fbgemm kernels, which are missing here")
    largest = max(p.abs().max().item() for p in model.parameters())
    if weights == "float16" and largest > torch.finfo(torch.float16).max:
        raise ValueError(f"a weight of size {largest:.3g} does not fit into float16")
