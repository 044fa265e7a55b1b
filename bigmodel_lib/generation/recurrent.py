"""What a model remembers of the text so far: keys and values, or a recurrent model's state.

Paper: Graves (2013), Generating Sequences With Recurrent Neural Networks, section 2,
       arXiv:1308.0850 (what was drawn is the next input; the state carries all that was before).
Twin:  bigmodel_lib/tf/generation/recurrent.py

A key-value cache grows with the text. A state has one size, so the thousandth token takes the time
and the memory of the first.

Shapes: B batch, T new tokens, S tokens so far, L layers, D state width, V vocabulary.
"""

import torch
from torch import Tensor, nn

from bigmodel_lib.generation.cache import KeyValueStore, cache_for, next_logits
from bigmodel_lib.layers.recurrent import State
from bigmodel_lib.models.rnn import RNNLanguageModel


class RecurrentState:
    """The state of a recurrent language model after the tokens that it has read."""

    def __init__(self) -> None:
        self.state: State | None = None  # (L, B, D), for an LSTM twice
        self.length = 0

    def read(self, model: RNNLanguageModel, tokens: Tensor) -> Tensor:
        """Read some more tokens, (B, T), and score what follows the last of them, (B, V)."""
        logits, self.state = model.step(tokens, self.state)  # (B, T, V)
        self.length += tokens.shape[1]
        return logits[:, -1]

    def reorder(self, rows: Tensor) -> None:
        """Let sequence b go on from the state of sequence `rows[b]`; (B,), integer."""
        if isinstance(self.state, Tensor):
            self.state = self.state[:, rows]
        elif self.state is not None:
            hidden, cell = self.state
            self.state = hidden[:, rows], cell[:, rows]


Memory = KeyValueStore | RecurrentState


def memory_for(
    model: nn.Module, batch: int, max_len: int, *, cache_dtype: torch.dtype | None = None
) -> Memory | None:
    """Make an empty memory of the kind that a model can use.

    Args:
        model: A model with a config.
        batch: Number of sequences, B.
        max_len: Most positions to store.
        cache_dtype: Number format of a cache; None for the model's.

    Returns:
        A state for a recurrent model, a cache for a model that takes one, None for any other.

    Raises:
        ValueError: If `cache_dtype` is given where there is no cache, or does not suit one.
    """
    if isinstance(model, RNNLanguageModel) and cache_dtype is None:
        return RecurrentState()
    return cache_for(model, batch, max_len, dtype=cache_dtype)


def score_next(model: nn.Module, tokens: Tensor, memory: Memory | None = None) -> Tensor:
    """Score what follows a text, reading only those tokens that the memory has not seen.

    Args:
        model: Maps tokens (B, T) to logits (B, T, V).
        tokens: The whole text so far, (B, S), integer.
        memory: Of a beginning of that text; None to read all of it.

    Returns:
        Scores of the next token, (B, V), in single precision.
    """
    if isinstance(memory, RecurrentState):
        assert isinstance(model, RNNLanguageModel), "memory_for gives a state to these alone"
        return memory.read(model, tokens[:, memory.length :]).float()
    return next_logits(model, tokens, memory)
