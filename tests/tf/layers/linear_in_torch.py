"""What PyTorch says: python linear_in_torch.py out.npz writes weights, outputs and gradients."""

import sys

import numpy as np
import torch

from bigmodel_lib.layers.linear import Linear


def main(path: str) -> None:
    torch.manual_seed(0)
    arrays = {}
    for bias in (True, False):
        layer = Linear(5, 3, bias=bias)
        x = torch.randn(2, 7, 5, requires_grad=True)
        y = layer(x)
        upstream = torch.randn_like(y)
        y.backward(upstream)
        tensors = {"x": x, "y": y, "upstream": upstream, "x_grad": x.grad}
        for key, parameter in layer.named_parameters():
            tensors |= {key: parameter, f"{key}_grad": parameter.grad}
        arrays |= {f"{bias}/{key}": t.detach().numpy() for key, t in tensors.items()}
    np.savez(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
