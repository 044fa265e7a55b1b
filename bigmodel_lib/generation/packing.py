"""Weights laid out, and if asked rounded, for products that have a single row.

Papers: Dettmers et al. (2022), LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale,
        section 3, arXiv:2208.07339 (vector-wise quantization: one scale per row);
        Su et al. (2021), RoFormer, section 3.4.2, arXiv:2104.09864 (rotary positions).

Shapes: N rows, I inputs, O outputs, D model width, F feed-forward width, H heads, G key-value
        heads, K head width, T positions, "..." any further dimensions.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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


def pack_block(block: Any, weights: Format, *, rotary: bool) -> PackedBlock:
    """Pack a `GPTBlock`, or, if its positions are `rotary`, a `LlamaBlock`."""
    attn, ff = block.attn, block.ff
    to_qkv, down = attn.to_qkv, pack(ff.down, weights)
    if rotary:
        to_qkv = _pairs_side_by_side(to_qkv, attn.n_heads + attn.n_kv_heads, attn.d_head)
    if hasattr(ff, "to_gate_up"):
        enter, curve = pack(ff.to_gate_up, weights), _gated
    else:
        enter, curve = pack(ff.up, weights), ff.activation
    return PackedBlock(
        norm_attn=pack_norm(block.norm_attn),
        to_qkv=pack(to_qkv, weights),
        to_out=pack(attn.to_out, weights),
        norm_ff=pack_norm(block.norm_ff),
        ff=lambda x: down(curve(enter(x))),
    )


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
    rounded, scale = round_to_int8(weight)
    scale = scale.bfloat16()
    # The kernel reads inputs 32 at a time, beyond the end of the memory if need be: add zeros.
    n_missing = -weight.shape[1] % 32
    rounded = F.pad(rounded, (0, n_missing))  # (O, I + missing)
    return lambda x: _multiply_int8(x, rounded, scale, bias)


def round_to_int8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Write a matrix (O, I) as whole numbers, int8 (O, I), times one scale a row, (O,)."""
    scale = weight.abs().amax(dim=1).clamp(min=torch.finfo(weight.dtype).tiny) / 127  # (O,)
    return (weight / scale[:, None]).round().to(torch.int8), scale


def _multiply_int8(x: Tensor, rounded: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """(..., I) -> (..., O). The kernel scales each sum at its end; it reads and writes bfloat16."""
    if x.dim() != 2:
        y = _multiply_int8(x.reshape(-1, x.shape[-1]), rounded, scale, bias)
        return y.view(*x.shape[:-1], -1)
    rows = x.bfloat16()  # (N, I)
    if n_missing := rounded.shape[1] - rows.shape[1]:
        rows = F.pad(rows, (0, n_missing))
    y = torch.ops.aten._weight_int8pack_mm.default(rows, rounded, scale)  # (N, O)
    return y.float() if bias is None else y + bias


def pack_norm(layer: Any) -> Map:
    """A layer norm or an RMS norm as a function, (..., D) -> (..., D)."""
    weight, eps = layer.weight.detach(), layer.eps
    if hasattr(layer, "bias"):
        return lambda x: F.layer_norm(x, weight.shape, weight, layer.bias, eps)
    # PyTorch's own takes six kernels on a CPU. With a vector's length |x|, the root of its mean
    # square plus ε is √(|x|² + D ε) / √D, and a root of two squares is a kernel.
    width = weight.numel()
    weight, floor = weight * width**0.5, weight.new_tensor((width * eps) ** 0.5)
    return lambda x: (x * weight).div_(
        torch.hypot(torch.linalg.vector_norm(x, dim=-1, keepdim=True), floor)
    )


def turn(qkv: Tensor, rotation: Tensor) -> Tensor:
    """Rotary positions: to turn a pair of numbers is to multiply one complex number by another.

    Args:
        qkv: Queries, keys and values, (..., (H + 2G)·K), each pair side by side.
        rotation: From `rotations`, (..., H + 2G, K / 2), complex.

    Returns:
        (..., H + 2G, K).
    """
    pairs = qkv.view(torch.complex64).unflatten(-1, rotation.shape[-2:])
    return (pairs * rotation).view(torch.float32)


def rotations(angles: Tensor, n_turned: int, n_still: int) -> Tensor:
    """Complex numbers that turn queries and keys, and leave the values as they are.

    Args:
        angles: Of each pair, (..., K / 2).
        n_turned: Number of heads that turn, H + G.
        n_still: Number of heads that do not, G.

    Returns:
        (..., H + 2G, K / 2), complex.
    """
    turns = torch.complex(angles.cos(), angles.sin()).unsqueeze(-2)  # (..., 1, K / 2)
    still = torch.ones_like(turns)
    shape = turns.shape[:-2]
    return torch.cat(
        [turns.expand(*shape, n_turned, -1), still.expand(*shape, n_still, -1)], dim=-2
    )


def _pairs_side_by_side(layer: nn.Linear, n_turned: int, d_head: int) -> nn.Linear:
    """Reorder the outputs of the heads that turn: i, i + K/2 of `positions.rotate` come together.

    Queries and keys are reordered alike, so that their dot products stay what they were.
    """
    order = torch.arange(layer.out_features)
    turned, still = order.split([n_turned * d_head, len(order) - n_turned * d_head])
    turned = turned.view(n_turned, 2, d_head // 2).mT.flatten()
    order = torch.cat([turned, still])
    reordered = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
    reordered.load_state_dict({name: t[order] for name, t in layer.state_dict().items()})
    return reordered


def _gated(x: Tensor) -> Tensor:
    """(..., 2F) -> (..., F), as in `feed_forward.SwiGLU`."""
    gate, up = x.chunk(2, dim=-1)
    return F.silu(gate) * up
