"""What PyTorch says: python mlp_in_torch.py out.npz writes weights, outputs and gradients."""

import sys

import numpy as np
import torch

from bigmodel_lib.configs.mlp import MLPConfig
from bigmodel_lib.models.mlp import MLP

CASES = {  # widths, shape of the input
    "mnist": ((784, 128, 10), (5, 1, 28, 28)),
    "regressor": ((10, 20, 1), (3, 10)),
    "linear": ((3, 2), (4, 3)),
    "smallest": ((1, 1, 1), (1, 1)),
    "primes": ((7, 13, 11, 3), (17, 7)),
}


def main(path: str) -> None:
    torch.manual_seed(0)
    arrays = {}
    for name, (widths, shape) in CASES.items():
        model = MLP(MLPConfig(widths=widths))
        x = torch.randn(shape, requires_grad=True)
        y = model(x)
        upstream = torch.randn_like(y)
        y.backward(upstream)
        tensors = {"widths": torch.tensor(widths), "x": x, "y": y, "upstream": upstream}
        tensors["x_grad"] = x.grad
        for key, parameter in model.named_parameters():
            tensors |= {f"weights/{key}": parameter, f"grads/{key}": parameter.grad}
        arrays |= {f"{name}/{key}": t.detach().numpy() for key, t in tensors.items()}
    np.savez(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
