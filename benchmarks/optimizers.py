"""One AdamW step over the parameters of the GPT of the targets, 12 million numbers."""

import torch

from benchmarks import peers
from benchmarks.race import Candidate, Row, race, rows
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.training.optimizers import AdamW


def measure(turns: int) -> list[Row]:
    """Ours, and PyTorch's three ways to take the same step."""
    variants = {
        "torch.optim.AdamW": lambda p: torch.optim.AdamW(p, 1e-4),
        "torch.optim.AdamW, foreach": lambda p: torch.optim.AdamW(p, 1e-4, foreach=True),
        "torch.optim.AdamW, fused": lambda p: torch.optim.AdamW(p, 1e-4, fused=True),
        "ours": lambda p: AdamW(p, 1e-4),
    }
    candidates = []
    for name, build in variants.items():
        parameters = list(GPT(peers.GPT_SHAPE).parameters())
        for parameter in parameters:
            parameter.grad = 1e-3 * torch.randn_like(parameter)
        candidates.append(Candidate(name, build(parameters).step, is_peer=name != "ours"))
    n_parameters = sum(p.numel() for p in GPT(peers.GPT_SHAPE).parameters())
    seconds = race(candidates, turns)
    reference = "torch.optim.AdamW"
    return rows("AdamW", candidates, seconds, n_parameters / 1e6, "M/s", reference=reference)
