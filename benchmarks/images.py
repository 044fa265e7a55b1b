"""ResNet-18 on 64×64 and ViT-small on 224×224 images: a training step, and reading in `eval` mode.

The peers are the models of `transformers`: `timm` needs torchvision, which the book does without.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers import logits_of
from benchmarks.race import Candidate, Row, race, rows
from bigmodel_lib.configs.resnet import RESNET18
from bigmodel_lib.configs.vit import ViTConfig
from bigmodel_lib.models.resnet import ResNet
from bigmodel_lib.models.vit import ViT

VIT_SMALL = ViTConfig(
    image_size=224, patch_size=16, n_layers=12, n_heads=6, d_model=384, d_ff=1_536, n_classes=1_000
)


def measure(turns: int) -> list[Row]:
    """Both models, both ways."""
    return [
        *_compare("ResNet-18, 64×64", ResNet(RESNET18), _their_resnet(), (8, 3, 64, 64), turns),
        *_compare("ViT-small, 224×224", ViT(VIT_SMALL), _their_vit(), (1, 3, 224, 224), turns),
    ]


def _compare(
    work: str, ours: nn.Module, theirs: nn.Module, shape: tuple[int, ...], turns: int
) -> list[Row]:
    images, labels = torch.randn(shape), torch.randint(1_000, shape[:1])
    found = []
    for what, how in (("training step", _training), ("reading", _reading)):
        candidates = [
            Candidate("transformers", how(theirs, images, labels), is_peer=True),
            Candidate("ours", how(ours, images, labels)),
        ]
        seconds = race(candidates, turns)
        found += rows(
            f"{work}: {what}", candidates, seconds, len(images), "image/s", targets={"ours": 1.0}
        )
    return found


def _training(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)

    def step() -> None:
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(logits_of(model(images)), labels).backward()
        optimizer.step()

    return step


def _reading(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], Tensor]:
    model.eval()
    return torch.inference_mode()(partial(model, images))


def _their_resnet() -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification

    sizes = {"hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "layer_type": "basic"}
    return ResNetForImageClassification(ResNetConfig(**sizes, embedding_size=64, num_labels=1_000))


def _their_vit() -> nn.Module:
    from transformers import ViTConfig as TheirConfig
    from transformers import ViTForImageClassification

    c = VIT_SMALL
    return ViTForImageClassification(
        TheirConfig(
            hidden_size=c.d_model, num_hidden_layers=c.n_layers, num_attention_heads=c.n_heads,
            intermediate_size=c.d_ff, image_size=c.image_size, patch_size=c.patch_size,
            num_labels=c.n_classes, attn_implementation="sdpa",
        )
    )  # fmt: skip
