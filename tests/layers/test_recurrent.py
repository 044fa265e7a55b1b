"""Tests of bigmodel_lib/layers/recurrent.py."""

import pytest
import torch
from torch import nn

from bigmodel_lib.layers.recurrent import GRU, LSTM, RNN, gru_cell, lstm_cell, rnn_cell, unroll

KINDS = {
    "rnn": (RNN, rnn_cell, nn.RNN, nn.RNNCell, 1),
    "lstm": (LSTM, lstm_cell, nn.LSTM, nn.LSTMCell, 4),
    "gru": (GRU, gru_cell, nn.GRU, nn.GRUCell, 3),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def random_state(kind: str, *sizes: int) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    return (torch.randn(sizes), torch.randn(sizes)) if kind == "lstm" else torch.randn(sizes)


def weights_of(layer: nn.Module, index: int = 0) -> tuple[torch.Tensor, ...]:
    return tuple(
        getattr(layer, f"{w}_l{index}") for w in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )


@kinds
@pytest.mark.parametrize(("d_in", "d_model", "batch"), [(3, 5, 2), (1, 1, 1), (7, 2, 3)])
def test_cell_matches_torch(kind, d_in, d_model, batch, assert_parity):
    _, cell, _, theirs, _ = KINDS[kind]
    theirs, x = theirs(d_in, d_model), torch.randn(batch, d_in)
    state = torch.randn(batch, d_model, requires_grad=True)
    if kind == "lstm":
        state = state, torch.randn(batch, d_model, requires_grad=True)

    y, expected = cell(x, state, tuple(theirs.parameters())), theirs(x, state)

    y, expected = (torch.cat(t, -1) if kind == "lstm" else t for t in (y, expected))
    states = state if kind == "lstm" else (state,)
    assert_parity(y, expected, [(p, p) for p in [*theirs.parameters(), *states]])


@kinds
@pytest.mark.parametrize("n_steps", [1, 7, 61])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_layer_and_unrolled_cell_match_torch(kind, n_steps, n_layers, assert_parity):
    layer, cell, reference, _, _ = KINDS[kind]
    ours, theirs = layer(3, 5, n_layers=n_layers), reference(3, 5, n_layers, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    x, wrt = (
        torch.randn(2, n_steps, 3),
        list(zip(ours.parameters(), theirs.parameters(), strict=True)),
    )
    start = random_state(kind, n_layers, 2, 5)
    expected, last = theirs(x, start)

    y, state = ours(x, start)
    slow = x
    for i in range(n_layers):
        start_i = tuple(s[i] for s in start) if kind == "lstm" else start[i]
        slow, _ = unroll(cell, slow, start_i, weights_of(ours, i))

    assert_parity(y, expected, wrt)
    assert_parity(slow, expected, wrt)
    torch.testing.assert_close(state, last)


@kinds
def test_padding_is_stepped_over(kind):
    """A padded batch gives each sequence what it would get alone."""
    layer = KINDS[kind][0](3, 5, n_layers=2)
    x, lengths = torch.randn(3, 7, 3), torch.tensor([4, 7, 1])

    y, state = layer(x, lengths=lengths)

    for i, n in enumerate(lengths.tolist()):
        alone, last = layer(x[i : i + 1, :n])
        torch.testing.assert_close(y[i : i + 1, :n], alone)
        assert not y[i, n:].any()
        for ours, theirs in zip(state, last, strict=True) if kind == "lstm" else [(state, last)]:
            torch.testing.assert_close(ours[:, i : i + 1], theirs)


@kinds
def test_reading_in_two_parts_is_reading_at_once(kind):
    layer, x = KINDS[kind][0](3, 5, n_layers=2), torch.randn(2, 7, 3)
    first, state = layer(x[:, :3])
    second, _ = layer(x[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), layer(x)[0])


@kinds
def test_gradcheck(kind):
    n_gates, cell = KINDS[kind][4], KINDS[kind][1]
    sizes = [(2, 3), (2, 2), (n_gates * 2, 3), (n_gates * 2, 2), (n_gates * 2,), (n_gates * 2,)]
    inputs = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in sizes]

    def step(x, h, *weights):
        return cell(x, (h, h.cos()) if kind == "lstm" else h, weights)

    assert torch.autograd.gradcheck(step, inputs)


def test_an_lstm_remembers_by_hand():
    """Forget gate wide open, the others shut: the cell is kept, and little of it is shown."""
    bias = torch.tensor([-30.0, 30.0, 0.0, 0.0])  # input, forget, candidate, output
    weights = torch.zeros(4, 1), torch.zeros(4, 1), bias, torch.zeros(4)
    hidden, cell = lstm_cell(torch.ones(1, 1), (torch.ones(1, 1), torch.full((1, 1), 0.5)), weights)

    assert cell.item() == pytest.approx(0.5)
    assert hidden.item() == pytest.approx(0.5 * 0.46211716)  # σ(0) tanh(0.5)


def test_a_gru_keeps_or_replaces_by_hand():
    """Update gate at 1 keeps the old state; at 0 it takes the candidate tanh(0.5)."""
    for gate, expected in ((30.0, 0.8), (-30.0, 0.46211716)):
        bias = torch.tensor([0.0, gate, 0.5])  # reset, update, candidate
        weights = torch.zeros(3, 1), torch.zeros(3, 1), bias, torch.zeros(3)
        state = gru_cell(torch.ones(1, 1), torch.tensor([[0.8]]), weights)
        assert state.item() == pytest.approx(expected)


def test_dropout_only_while_training():
    layer, x = LSTM(3, 5, n_layers=2, dropout=0.5), torch.randn(2, 7, 3)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert torch.equal(layer(x)[0], layer(x)[0])


def test_builds_on_the_meta_device():
    with torch.device("meta"):
        assert all(p.is_meta for p in LSTM(3, 5).parameters())


@kinds
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer: layer(3, 5)(torch.zeros(2, 7, 4)), r"\(B, T, 3\), got \(2, 7, 4\)"),
        (lambda layer: layer(3, 5)(torch.zeros(7, 3)), r"\(B, T, 3\), got \(7, 3\)"),
        (lambda layer: layer(3, 5)(torch.zeros(2, 0, 3)), r"at least one step.*\(2, 0, 3\)"),
        (
            lambda layer: layer(3, 5)(torch.zeros(2, 7, 3), lengths=torch.tensor([8, 1])),
            r"lengths must be in 1\.\.7, got 1\.\.8",
        ),
        (
            lambda layer: layer(3, 5)(torch.zeros(2, 7, 3), lengths=torch.tensor([0, 1])),
            r"lengths must be in 1\.\.7, got 0\.\.1",
        ),
        (
            lambda layer: layer(3, 5)(torch.zeros(2, 7, 3), lengths=torch.tensor([1])),
            r"lengths must have shape \(2\), got \(1,\)",
        ),
        (lambda layer: layer(3, 0), "d_model must be at least 1, got 0"),
        (lambda layer: layer(3, 5, dropout=0.1), r"dropout \(0\.1\) acts between layers"),
        (lambda layer: layer(3, 5, n_layers=2, dropout=1.0), r"in \[0, 1\), got 1\.0"),
    ],
)
def test_mistakes_are_explained(kind, call, message):
    with pytest.raises(ValueError, match=message):
        call(KINDS[kind][0])
