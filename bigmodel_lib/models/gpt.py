"""GPT: a decoder that reads from left to right and scores what comes next.

Papers: Radford et al. (2019), Language Models are Unsupervised Multitask Learners, section 2.3;
        Brown et al. (2020), Language Models are Few-Shot Learners, section 2.1, arXiv:2005.14165,
        whose every second layer attends to a band only; here all layers attend to everything.
Chapter: chapters/01_background/01_what_is_a_big_model.ipynb
Twin:    bigmodel_lib/tf/models/gpt.py

Shapes: B batch, T tokens, S tokens with those in the cache, D model width, V vocabulary.
"""

from functools import partial

import torch
from torch import Tensor, nn

from bigmodel_lib.configs.gpt import GPTConfig
from bigmodel_lib.layers.attention import KeyValueCache, MultiHeadAttention
from bigmodel_lib.layers.dropout import Dropout
from bigmodel_lib.layers.embeddings import TokenEmbedding
from bigmodel_lib.layers.fast_gelu import gelu_tanh
from bigmodel_lib.layers.feed_forward import FeedForward
from bigmodel_lib.layers.linear import Linear
from bigmodel_lib.layers.norms import LayerNorm
from bigmodel_lib.layers.positions import LearnedPosition
from bigmodel_lib.models.checks import check_tokens


class GPTBlock(nn.Module):
    """Communicate (attention), then compute (feed-forward), each on a normalised residual.

    Args:
        config: Sizes of the model.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.norm_attn = LayerNorm(config.d_model, eps=config.norm_eps)
        self.attn = MultiHeadAttention(
            config.d_model, config.n_heads, bias=True, dropout=config.dropout
        )
        self.norm_ff = LayerNorm(config.d_model, eps=config.norm_eps)
        self.ff = FeedForward(config.d_model, config.d_ff, activation=gelu_tanh)
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        attn_mask: Tensor | None = None,
        *,
        cache: KeyValueCache | None = None,
        layer_index: int = 0,
    ) -> Tensor:
        """Map (B, T, D) to (B, T, D); the arguments are those of `MultiHeadAttention`."""
        heard = self.attn(
            self.norm_attn(x), attn_mask, causal=True, cache=cache, layer_index=layer_index
        )
        x = x + self.dropout(heard)
        return x + self.dropout(self.ff(self.norm_ff(x)))


class GPT(nn.Module):
    """Score the next token at every position.

    The matrix that turns vectors into scores is the token embedding, used the other way round.

    Args:
        config: Sizes of the model.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embed = TokenEmbedding(config.vocab_size, config.d_model)
        self.position_embed = LearnedPosition(config.max_len, config.d_model)
        self.dropout = Dropout(config.dropout)
        blocks = [GPTBlock(config) for _ in range(config.n_layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = LayerNorm(config.d_model, eps=config.norm_eps)
        self.to_logits = Linear(config.d_model, config.vocab_size, bias=False)
        self.to_logits.weight = self.token_embed.weight
        self.apply(partial(_init_weights, std=config.init_std))
        for block in blocks:
            _shrink(block.attn.to_out, block.ff.down, factor=(2 * config.n_layers) ** -0.5)

    def forward(
        self,
        tokens: Tensor,
        attn_mask: Tensor | None = None,
        *,
        positions: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Return next-token logits.

        Args:
            tokens: Token ids, (B, T), integer.
            attn_mask: Boolean, broadcastable to (B, H, T, S), True where looking is allowed;
                no position looks ahead in any case.
            positions: Position of each token, (T,) or (B, T); None to count on from the cache.
            cache: Keys and values of the tokens before these; None if these are the first.

        Returns:
            Unnormalised log-probabilities, (B, T, V).

        Raises:
            ValueError: If S exceeds `config.max_len`, or an id is out of range.
        """
        return self.to_logits(self.hidden(tokens, attn_mask, positions=positions, cache=cache))

    def hidden(
        self,
        tokens: Tensor,
        attn_mask: Tensor | None = None,
        *,
        positions: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Return what `forward` turns into logits, (B, T, D), for who needs only some of them."""
        n_before = 0 if cache is None else cache.length
        check_tokens(tokens, self.config.max_len, offset=n_before)
        if positions is None:
            positions = torch.arange(n_before, n_before + tokens.shape[1], device=tokens.device)

        x = self.dropout(self.token_embed(tokens) + self.position_embed(positions))  # (B, T, D)
        for i, block in enumerate(self.blocks):
            x = block(x, attn_mask, cache=cache, layer_index=i)
        return self.norm(x)


def _init_weights(module: nn.Module, std: float) -> None:
    """Small normal weights and zero biases, as in GPT-2."""
    if not isinstance(module, nn.Linear | nn.Embedding) or module.weight.is_meta:
        return
    nn.init.normal_(module.weight, std=std)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


@torch.no_grad()
def _shrink(*layers: nn.Linear, factor: float) -> None:
    """Start what is added to the residual stream small, so that many layers do not add up."""
    for layer in layers:
        layer.weight.mul_(factor)
