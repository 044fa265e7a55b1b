"""ResNets on 64×64 and ViT-small on 224×224 images: a training step, and reading in `eval` mode."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.peers import installed, logits_of
from benchmarks.race import Candidate, Row, race, rows
from bigmodel_lib.compression.folding import fold_norms
from bigmodel_lib.configs.resnet import RESNET18, RESNET50
from bigmodel_lib.configs.vit import ViTConfig
from bigmodel_lib.models.resnet import ResNet
from bigmodel_lib.models.vit import ViT

FOLDED = "ours, norms folded"
VIT_SMALL = ViTConfig(
    image_size=224, patch_size=16, n_layers=12, n_heads=6, d_model=384, d_ff=1_536, n_classes=1_000
)


def measure(turns: int) -> list[Row]:
    """Three models, both ways."""
    small, large = (8, 3, 64, 64), (1, 3, 224, 224)
    works = [
        ("ResNet-18, 64×64", ResNet(RESNET18), "resnet18", _their_resnet18, small),
        ("ResNet-50, 64×64", ResNet(RESNET50), "resnet50", _their_resnet50, small),
        ("ViT-small, 224×224", ViT(VIT_SMALL), "vit_small_patch16_224", _their_vit, large),
    ]
    return [
        row
        for work, ours, name, build, shape in works
        for row in _compare(
            work, ours, {"timm": partial(_timm, name), "transformers": build}, shape, turns
        )
    ]


def _compare(
    work: str,
    ours: nn.Module,
    builders: dict[str, Callable[[], nn.Module]],
    shape: tuple[int, ...],
    turns: int,
) -> list[Row]:
    images, labels = torch.randn(shape), torch.randint(1_000, shape[:1])
    models, left_out = installed(builders)
    found = []
    for what, how in (("training step", _training), ("reading", _reading)):
        candidates = [
            Candidate(name, how(model, images, labels), is_peer=True)
            for name, model in models.items()
        ]
        candidates.append(Candidate("ours", how(ours, images, labels)))
        if what == "reading" and isinstance(ours, ResNet):
            candidates.append(Candidate(FOLDED, how(fold_norms(ours), images, labels)))
        seconds = race(candidates, turns)
        found += rows(
            f"{work}: {what}",
            candidates,
            seconds,
            len(images),
            "image/s",
            targets={"ours": 1.0, FOLDED: 1.0},
        )
    return found + [Row(work, name, None, "image/s", note="left out") for name in left_out]


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


def _timm(name: str) -> nn.Module:
    import timm

    return timm.create_model(name, num_classes=1_000)


def _their_resnet18() -> nn.Module:
    return _their_resnet(hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic")


def _their_resnet50() -> nn.Module:
    return _their_resnet(hidden_sizes=[256, 512, 1_024, 2_048], depths=[3, 4, 6, 3])


def _their_resnet(**sizes: Any) -> nn.Module:
    from transformers import ResNetConfig, ResNetForImageClassification

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
