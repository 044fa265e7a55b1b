"""One more token for every text of a batch: the step that writing repeats, down to its kernels.

A product with one row takes ten to fifty microseconds, and a view of a tensor takes one or two. So
what must be asked for any number of tokens, any mask and any cache costs as much as the products
themselves. Here there is one token, no mask, and a cache that makes room in all layers at once;
`PackedDecoder.hidden` is the definition, to which a test holds this function.

Shapes: B batch, S positions with the new one, D model width, H heads, G key-value heads, K head
        width.
"""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from bigmodel_lib.generation.cache import KeyValueStore
from bigmodel_lib.generation.packing import PackedBlock, turn


def read_one(
    x: Tensor,
    blocks: Sequence[PackedBlock],
    cache: KeyValueStore,
    *,
    n_heads: int,
    rotation: Tensor | None = None,
) -> Tensor:
    """Send one new vector of each text through all blocks.

    Args:
        x: Embedded tokens, (B, D).
        blocks: One for each layer of the cache.
        cache: What the tokens before these offered; it grows by one position.
        n_heads: Number of query heads, H.
        rotation: Of the new position, (H + 2G, K / 2), complex; None if positions are not rotary.

    Returns:
        (B, D).

    Raises:
        ValueError: If the cache is full.
    """
    batch = x.shape[0]
    n_kv_heads, d_head = cache.keys.shape[2], cache.keys.shape[4]
    for block, (k_room, v_room, k, v) in zip(blocks, cache.grow(), strict=True):
        qkv = block.to_qkv(block.norm_attn(x))
        heads = qkv.view(batch, -1, d_head) if rotation is None else turn(qkv, rotation)
        q, k_new, v_new = heads.split_with_sizes((n_heads, n_kv_heads, n_kv_heads), dim=1)
        k_room.copy_(k_new)
        v_room.copy_(v_new)
        # The query heads of one key-value head stand in a row, as if they were H / G positions:
        # nothing lies ahead of the last token, so there is no mask to tell them apart.
        q = q.view(batch, n_kv_heads, -1, d_head)
        y = F.scaled_dot_product_attention(q.to(k.dtype), k, v)  # (B, G, H / G, K)
        x = x + block.to_out(y.reshape(batch, -1).to(x.dtype))
        x = x + block.ff(block.norm_ff(x))
    return x
