"""Attention over a short text, in bfloat16, while training on a CPU: by plain matrix products.

Paper: Vaswani et al. (2017), Attention Is All You Need, section 3.2.1, arXiv:1706.03762.

The fused kernel saves memory by making the weights anew in its backward pass. For a short text the
weights are small, and a processor multiplies matrices of bfloat16 so fast that making them twice
costs more than keeping them: `benchmarks/README.md` has the figures.

Shapes: B batch, T positions, H heads, K head width.
"""

import torch
from torch import Tensor

from bigmodel_lib.layers.masks import causal_mask

LONGEST = 512  # positions; at 1,024 the fused kernel is the faster one, see the benchmarks


def is_faster(q: Tensor, k: Tensor) -> bool:
    """Whether `attend_short` is the faster way for causal attention of q to k."""
    return (
        q.dtype == torch.bfloat16
        and q.device.type == "cpu"
        and q.requires_grad
        and 1 < q.shape[-2] <= LONGEST
        and q.shape == k.shape
    )


def attend_short(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Read the values that lie behind: softmax(q kᵀ / √K + mask) v, each (B, H, T, K).

    `attention.attention_weights` is the equation, to which a test holds this function.
    """
    n_tokens = q.shape[-2]
    ahead = ~causal_mask(n_tokens, q.device)  # (T, T)
    mask = q.new_zeros(n_tokens, n_tokens).masked_fill_(ahead, -torch.inf)
    q_rows, k_rows, v_rows = (x.flatten(0, 1) for x in (q, k, v))  # each (B·H, T, K)
    # One kernel multiplies, scales and adds; no row is all -inf, as each sees itself.
    scores = torch.baddbmm(mask, q_rows, k_rows.mT, alpha=q.shape[-1] ** -0.5)  # (B·H, T, T)
    return torch.bmm(scores.softmax(dim=-1), v_rows).view(v.shape)
