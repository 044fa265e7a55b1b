"""Sizes of the recurrent language model."""

from dataclasses import dataclass
from typing import Literal

from bigmodel_lib.configs.checks import check_counts, check_dropout


@dataclass(frozen=True, kw_only=True)
class RNNConfig:
    """Every number needed to build an `RNNLanguageModel`, and nothing else.

    Attributes:
        vocab_size: Number of token ids, V.
        d_model: Width of the embedding and of the hidden state, D.
        n_layers: Number of recurrent layers, one above the other.
        cell: What a layer does at each step: "rnn", "gru" or "lstm".
        dropout: Probability of zeroing an activation between layers during training.
    """

    vocab_size: int
    d_model: int
    n_layers: int = 1
    cell: Literal["rnn", "gru", "lstm"] = "lstm"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self, "vocab_size", "d_model", "n_layers")
        check_dropout(self)
        if self.cell not in ("rnn", "gru", "lstm"):
            raise ValueError(f'cell must be "rnn", "gru" or "lstm", got "{self.cell}"')


TINY = RNNConfig(vocab_size=65, d_model=32)
LSTM_MEDIUM = RNNConfig(vocab_size=10_000, d_model=650, n_layers=2, dropout=0.5)
LSTM_LARGE = RNNConfig(vocab_size=10_000, d_model=1_500, n_layers=2, dropout=0.65)
"""The medium and large networks of Zaremba, Sutskever & Vinyals (2014), section 4.1."""
