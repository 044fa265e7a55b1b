"""Tests of bigmodel_lib/models/rnn.py."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from bigmodel_lib.accounting.parameters import count_parameters, meta_model
from bigmodel_lib.configs.rnn import LSTM_LARGE, LSTM_MEDIUM, TINY, RNNConfig
from bigmodel_lib.generation.sampling import generate
from bigmodel_lib.models.rnn import RNNLanguageModel

SMALL = RNNConfig(vocab_size=11, d_model=7, n_layers=2)


def cell_rnn(x, h, c, w_x, w_h, b_x, b_h):
    """Elman (1990)."""
    return torch.tanh(x @ w_x.T + b_x + h @ w_h.T + b_h), c


def cell_lstm(x, h, c, w_x, w_h, b_x, b_h):
    """Hochreiter & Schmidhuber (1997) with a forget gate; gates stacked as i, f, g, o."""
    i, f, g, o = (x @ w_x.T + b_x + h @ w_h.T + b_h).chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def cell_gru(x, h, c, w_x, w_h, b_x, b_h):
    """Cho et al. (2014) with the reset gate after the product, as in cuDNN; r, z, n."""
    r_x, z_x, n_x = (x @ w_x.T + b_x).chunk(3, dim=-1)
    r_h, z_h, n_h = (h @ w_h.T + b_h).chunk(3, dim=-1)
    z = (z_x + z_h).sigmoid()
    return (1 - z) * (n_x + (r_x + r_h).sigmoid() * n_h).tanh() + z * h, c


CELLS = {"rnn": cell_rnn, "lstm": cell_lstm, "gru": cell_gru}


def by_hand(tensors: dict, tokens: torch.Tensor, config: RNNConfig) -> torch.Tensor:
    """The whole model as equations, one token after the other."""
    batch, n_tokens = tokens.shape
    sequence = tensors["token_embed.weight"][tokens]
    for layer in range(config.n_layers):
        names = [
            f"recurrent.{n}_l{layer}" for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        h = c = torch.zeros(batch, config.d_model)
        outputs = []
        for t in range(n_tokens):
            h, c = CELLS[config.cell](sequence[:, t], h, c, *(tensors[n] for n in names))
            outputs.append(h)
        sequence = torch.stack(outputs, dim=1)
    return sequence @ tensors["to_logits.weight"].T + tensors["to_logits.bias"]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(("batch", "n_tokens", "n_layers"), [(1, 1, 1), (3, 5, 2), (2, 13, 3)])
def test_output_and_gradients_match_the_equations(cell, batch, n_tokens, n_layers):
    config = replace(SMALL, cell=cell, n_layers=n_layers)
    model, tokens = RNNLanguageModel(config), torch.randint(11, (batch, n_tokens))
    copies = {n: p.detach().clone().requires_grad_() for n, p in model.named_parameters()}

    actual, expected = model(tokens), by_hand(copies, tokens, config)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)
    actual.square().sum().backward()
    expected.square().sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, copies[name].grad, atol=1e-5, rtol=1e-4)


def test_parameter_counts():
    """Two matrices and two biases for each of four gates; Press & Wolf (2017) say 66 million."""
    medium, large = (
        count_parameters(meta_model(lambda c=c: RNNLanguageModel(c)))
        for c in (LSTM_MEDIUM, LSTM_LARGE)
    )
    assert medium == 2 * 10_000 * 650 + 10_000 + 2 * (4 * 2 * 650 * 650 + 8 * 650)
    assert round(medium / 1e6) == 20
    assert round(large / 1e6) == 66


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_text_read_in_pieces_scores_as_in_one_go(cell):
    model, tokens = RNNLanguageModel(replace(SMALL, cell=cell)), torch.randint(11, (2, 9))
    state, pieces = None, []
    for piece in tokens.split([1, 5, 3], dim=1):
        logits, state = model.step(piece, state)
        pieces.append(logits)
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(tokens))


def test_future_tokens_cannot_be_seen():
    model, tokens = RNNLanguageModel(SMALL), torch.randint(11, (1, 6))
    changed = tokens.clone()
    changed[0, -1] = (tokens[0, -1] + 1) % 11
    torch.testing.assert_close(model(changed)[:, :-1], model(tokens)[:, :-1])
    assert not torch.allclose(model(changed)[:, -1], model(tokens)[:, -1])


def test_untrained_model_is_undecided_and_can_memorise():
    model, tokens = RNNLanguageModel(TINY), torch.randint(TINY.vocab_size, (2, 12))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    losses = []
    for _ in range(80):
        loss = F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(TINY.vocab_size), abs=0.2)
    assert losses[-1] < 0.05


@pytest.mark.parametrize("n_layers", [1, 2])
def test_dropout_acts_below_and_above_every_layer_in_training_only(n_layers):
    model = RNNLanguageModel(replace(SMALL, n_layers=n_layers, dropout=0.5))
    tokens, zeros = torch.randint(11, (2, 5)), []
    for layer in (model.recurrent, model.to_logits):
        layer.register_forward_hook(lambda _, args, __: zeros.append((args[0] == 0).sum().item()))
    model(tokens)
    assert min(zeros) > 0
    assert model.recurrent.dropout == (0.5 if n_layers > 1 else 0.0)  # between layers, if any

    zeros.clear()
    model.eval()
    assert torch.equal(model(tokens), model(tokens))
    assert max(zeros) == 0


def test_generates_without_a_longest_length():
    tokens = generate(RNNLanguageModel(SMALL), torch.zeros(2, 1, dtype=torch.long), 40)
    assert tokens.shape == (2, 41)


@pytest.mark.parametrize("shape", [(0, 4), (2, 0)])
def test_refuses_an_empty_text(shape):
    with pytest.raises(ValueError, match="tokens must hold at least one token, got shape"):
        RNNLanguageModel(SMALL)(torch.zeros(shape, dtype=torch.long))


def test_refuses_ids_out_of_range():
    with pytest.raises(ValueError, match=r"token ids must be in 0..10, got 3..11"):
        RNNLanguageModel(SMALL)(torch.tensor([[3, 11]]))
