"""Packed weights: a decoder laid out once for writing, where every product has a single row.

Paper: Dettmers et al. (2022), LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale,
       section 3, arXiv:2208.07339 (vector-wise quantization: one scale per row).

To write one token, every weight is read once and used once, so the time is that of reading memory:
half the bytes are nearly half the time. Here the weights are copied into the order, and if asked
into the number format, that the matrix kernels read fastest (`packing.py`); what happens between
the products is the model's own arithmetic, without the checks of a layer that anybody may call. A
packed decoder stands in for its model in `generate`, `generate_padded` and `beam_search`; it cannot
be trained.

Kept at full precision: embeddings, norms, attention and the key-value cache.

Shapes: B batch, T new positions, S positions so far, D model width, H heads, G key-value heads,
        K head width, V vocabulary.
"""

import torch
from torch import Tensor, nn

from bigmodel_lib.generation.cache import KeyValueStore
from bigmodel_lib.generation.one_token import read_one
from bigmodel_lib.generation.packing import Format, pack, pack_block, pack_norm, rotations, turn
from bigmodel_lib.layers.attention import merge_heads
from bigmodel_lib.layers.fused_attention import attend
from bigmodel_lib.layers.positions import frequencies
from bigmodel_lib.models.checks import check_tokens
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama, stretched


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
        self.config = config = model.config
        self.token_embed = model.token_embed
        self.embed_position = model.position_embed if isinstance(model, GPT) else None
        self.n_heads = config.n_heads
        self.n_kv_heads = getattr(config, "n_kv_heads", config.n_heads)
        self.angles = rotary_angles(model) if isinstance(model, Llama) else None  # (K / 2,)
        with torch.no_grad():
            rotary = isinstance(model, Llama)
            self.packed_blocks = [pack_block(b, weights, rotary=rotary) for b in model.blocks]
            self.norm = pack_norm(model.norm)
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
        plain = attn_mask is None and positions is None
        if cache is not None and plain and self._is_one_more(tokens, cache):
            x, rotation = self._enter(tokens[:, 0], torch.tensor(n_before))  # (B, D)
            x = read_one(x, self.packed_blocks, cache, n_heads=self.n_heads, rotation=rotation)
            return self.norm(x).unsqueeze(1)
        if positions is None:
            positions = torch.arange(n_before, n_before + tokens.shape[1])

        x, rotation = self._enter(tokens, positions)  # (B, T, D)
        for i, block in enumerate(self.packed_blocks):
            q, k, v = self._heads(block.to_qkv(block.norm_attn(x)), rotation)
            if cache is not None:
                k, v = cache.update(i, k, v)  # each (B, G, S, K)
            y = attend(q, k, v, attn_mask, causal=True)  # (B, H, T, K)
            x = x + block.to_out(merge_heads(y))
            x = x + block.ff(block.norm_ff(x))
        return self.norm(x)

    def _enter(self, tokens: Tensor, positions: Tensor) -> tuple[Tensor, Tensor | None]:
        """The embedded tokens, (..., D), and what turns the heads, (..., H + 2G, K / 2)."""
        x = self.token_embed(tokens)
        if self.embed_position is not None:
            x = x + self.embed_position(positions)
        if self.angles is None:
            return x, None
        angles = positions.unsqueeze(-1) * self.angles
        return x, rotations(angles, self.n_heads + self.n_kv_heads, self.n_kv_heads)

    def _heads(self, qkv: Tensor, rotation: Tensor | None) -> tuple[Tensor, ...]:
        """Queries (B, H, T, K), keys and values (B, G, T, K), turned if positions are rotary."""
        heads = (
            qkv.unflatten(-1, (-1, self.config.d_head)) if rotation is None else turn(qkv, rotation)
        )  # (B, T, H + 2G, K)
        return heads.transpose(1, 2).split((self.n_heads, self.n_kv_heads, self.n_kv_heads), dim=1)

    def _is_one_more(self, tokens: Tensor, cache: KeyValueStore) -> bool:
        """Whether there is one token a text, and a cache of just the right sizes."""
        c = self.config
        sizes = (c.n_layers, tokens.shape[0], self.n_kv_heads, cache.max_len, c.d_head)
        return tokens.shape[1] == 1 and cache.keys.shape == sizes


def rotary_angles(model: Llama) -> Tensor:
    """By how much each pair of a head turns from one position to the next, (K / 2,)."""
    c = model.config
    angles = frequencies(c.d_head, c.theta)
    return angles if c.stretch is None else stretched(angles, c.stretch)


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
