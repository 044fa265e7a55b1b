"""Tests of bigmodel_lib/layers/embeddings.py."""

import pytest
import torch
from torch import nn

from bigmodel_lib.layers.embeddings import TokenEmbedding, embedding


def test_a_lookup_is_a_product_with_one_hot_vectors(assert_parity):
    layer, tokens = TokenEmbedding(7, 5), torch.tensor([[0, 6, 3], [3, 3, 1]])
    theirs = nn.Embedding.from_pretrained(layer.weight.detach().clone(), freeze=False)

    assert_parity(layer(tokens), theirs(tokens), [(layer.weight, theirs.weight)])
    assert_parity(embedding(tokens, layer.weight), theirs(tokens), [(layer.weight, theirs.weight)])


def test_gradcheck():
    table = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: embedding(torch.tensor([[1, 1, 3]]), t), (table,))


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("sizes", [(1, 1), (0, 3), (4,)])
def test_shapes(sizes, dtype):
    assert TokenEmbedding(2, 3)(torch.zeros(sizes, dtype=dtype)).shape == (*sizes, 3)


@pytest.mark.parametrize("wrong", [7, -1])
def test_refuses_ids_outside_its_table(wrong):
    lowest, highest = min(wrong, 2), max(wrong, 2)
    with pytest.raises(ValueError, match=rf"must be in 0\.\.6, got {lowest}\.\.{highest}"):
        TokenEmbedding(7, 5)(torch.tensor([[2, wrong]]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.uint8])
def test_refuses_what_is_not_an_id(dtype):
    with pytest.raises(ValueError, match=f"token ids must be int64 or int32, got {dtype}"):
        TokenEmbedding(7, 5)(torch.zeros(1, 2, dtype=dtype))


def test_refuses_an_empty_vocabulary():
    with pytest.raises(ValueError, match="vocab_size must be at least 1, got 0"):
        TokenEmbedding(0, 5)
