"""An LSTM of two layers, width 256: forward and backward over 8 sequences of 64 steps."""

import torch
from torch import nn

from benchmarks.race import Candidate, Row, race, rows
from bigmodel_lib.layers.recurrent import LSTM, lstm_cell, unroll

D, BATCH, STEPS = 256, 8, 64


def measure(turns: int) -> list[Row]:
    """PyTorch's layer, ours, and the equations of our cell step by step (one layer of two)."""
    x = torch.randn(BATCH, STEPS, D)
    theirs = nn.LSTM(D, D, 2, batch_first=True)
    ours = LSTM(D, D, n_layers=2)
    ours.load_state_dict(theirs.state_dict())
    layers = [[getattr(ours, f"{kind}_l{i}") for kind in KINDS] for i in range(2)]
    empty = torch.zeros(BATCH, D), torch.zeros(BATCH, D)

    def by_hand() -> None:
        y = x
        for weights in layers:
            y, _ = unroll(lstm_cell, y, empty, weights)
        y.sum().backward()

    candidates = [
        Candidate("torch.nn.LSTM", lambda: theirs(x)[0].sum().backward(), is_peer=True),
        Candidate("ours", lambda: ours(x)[0].sum().backward()),
        Candidate("ours, the equations step by step", by_hand),
    ]
    seconds = race(candidates, turns)
    targets = {"ours": 1.0}
    return rows("LSTM", candidates, seconds, BATCH * STEPS, "step/s", targets=targets)


KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
