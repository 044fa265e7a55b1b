"""Tests of bigmodel_lib/layers/patches.py."""

import pytest
import torch
from torch.nn import functional as F

from bigmodel_lib.layers.patches import PatchEmbedding, patches


def test_reading_order_by_hand():
    """A 4×4 image of one colour, cut into four squares of 2×2."""
    image = torch.arange(16).view(1, 1, 4, 4)
    expected = [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    assert patches(image, 2)[0].tolist() == expected


@pytest.mark.parametrize(("height", "width", "patch_size"), [(6, 9, 3), (5, 5, 5), (2, 3, 1)])
def test_matches_unfold(height, width, patch_size):
    x = torch.randn(2, 3, height, width)
    torch.testing.assert_close(
        patches(x, patch_size), F.unfold(x, patch_size, stride=patch_size).mT
    )


@pytest.mark.parametrize(("height", "width", "patch_size"), [(6, 9, 3), (5, 5, 5), (2, 3, 1)])
def test_embedding_is_one_matrix_for_every_patch(height, width, patch_size, assert_parity):
    layer, x = PatchEmbedding(patch_size, 7, in_channels=2), torch.randn(2, 2, height, width)
    weight, bias = layer.to_tokens.weight, layer.to_tokens.bias
    expected = F.linear(patches(x, patch_size), weight.flatten(1), bias)

    assert_parity(layer(x), expected, [(weight, weight), (bias, bias)])


def test_embedding_matches_the_published_one(assert_parity):
    vit = pytest.importorskip("transformers.models.vit.modeling_vit")
    config = vit.ViTConfig(image_size=6, patch_size=3, num_channels=2, hidden_size=7)
    theirs, ours = vit.ViTPatchEmbeddings(config), PatchEmbedding(3, 7, in_channels=2)
    ours.to_tokens.load_state_dict(theirs.projection.state_dict())
    x = torch.randn(2, 2, 6, 6)

    wrt = list(zip(ours.parameters(), theirs.parameters(), strict=True))
    assert_parity(ours(x), theirs(x), wrt)


def test_gradcheck():
    x = torch.randn(1, 2, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: patches(x, 2), (x,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: patches(torch.zeros(1, 3, 6, 8), 3), "6×8 cannot be cut into squares of 3×3"),
        (lambda: PatchEmbedding(4, 7)(torch.zeros(1, 3, 6, 8)), "6×8 cannot be cut.*4×4"),
        (lambda: PatchEmbedding(4, 7)(torch.zeros(1, 1, 8, 8)), r"\(B, 3, H, W\), got \(1, 1, 8"),
        (lambda: PatchEmbedding(4, 7)(torch.zeros(3, 8, 8)), r"\(B, 3, H, W\), got \(3, 8, 8\)"),
        (lambda: PatchEmbedding(0, 7), "patch_size must be at least 1, got 0"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
