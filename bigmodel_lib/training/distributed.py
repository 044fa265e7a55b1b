"""One model on many processes: the same on each (DDP), or cut into shards (FSDP2).

Papers: Li et al. (2020), PyTorch Distributed: Experiences on Accelerating Data Parallel Training,
        section 3, arXiv:2006.15704; Zhao et al. (2023), PyTorch FSDP: Experiences on Scaling Fully
        Sharded Data Parallel, section 3, arXiv:2304.11277.

Every process runs the same script, started by `torchrun --nproc-per-node=2 script.py`:

    with joined() as here:
        model = replicate(GPT(config).to(here.device))  # or shard(model, model.blocks)
        batches = TokenBatches(text, 64, 256, rank=here.rank, world=here.world)
        torch.manual_seed(here.rank)  # every process drops other units
        train(model, batches, loss_of, settings, folder="run", show=here.rank == 0)

Without `torchrun` the same script runs as one process. All work is PyTorch's; the functions below
the first three are what `training/loop.py` asks, and they do nothing when there is one process.

Shapes: W processes, N numbers.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Process(NamedTuple):
    """Which of `world` processes this is, counted from 0, and the device it has to itself."""

    rank: int
    world: int
    device: torch.device


@contextmanager
def joined() -> Iterator[Process]:
    """Meet the other processes that `torchrun` started; part from them at the end.

    GPUs talk by NCCL, CPUs by Gloo. A process can join once: where they met, they are remembered.
    """
    has_gpu = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if has_gpu else "cpu"
    if "RANK" not in os.environ:
        yield Process(0, 1, torch.device(device))
        return
    if has_gpu:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if has_gpu else "gloo")
    try:
        yield Process(distributed.get_rank(), distributed.get_world_size(), torch.device(device))
    finally:
        distributed.destroy_process_group()


def replicate(model: nn.Module) -> nn.Module:
    """Keep the whole model on every process, and average the gradients (DDP).

    All processes start from the weights of the first. A single process needs no wrapping, and
    gets the model back.
    """
    return DistributedDataParallel(model) if distributed.is_initialized() else model


def shard(model: nn.Module, parts: Iterable[nn.Module]) -> nn.Module:
    """Keep a share of every parameter on each process, and fetch the rest when needed (FSDP2).

    Args:
        model: Changed in place. All processes start from the weights of the first.
        parts: What is fetched and dropped together, usually the model's blocks; what is in none
            of them is a part of its own.

    Returns:
        The same model.
    """
    if not distributed.is_initialized():
        return model
    from torch.distributed.fsdp import fully_shard

    for tensor in [*model.parameters(), *model.buffers()]:
        distributed.broadcast(tensor.detach(), src=0)
    for part in parts:
        fully_shard(part)
    fully_shard(model)
    return model


def is_first() -> bool:
    """Whether this is the process that writes: the first, or the only one."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def is_sharded(model: nn.Module) -> bool:
    """Whether `shard` has cut the model."""
    if not distributed.is_initialized():
        return False  # and half a second of importing is saved
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside the wrapper of `replicate`, or the model itself."""
    return model.module if isinstance(model, DistributedDataParallel) else model


@contextmanager
def exchanging(model: nn.Module, enabled: bool) -> Iterator[None]:
    """Say whether backward passes exchange gradients: of those that add up, only the last must."""
    if is_sharded(model):
        model.set_requires_gradient_sync(enabled)  # pyright: ignore[reportCallIssue]
    if isinstance(model, DistributedDataParallel) and not enabled:
        with model.no_sync():
            yield
    else:
        yield


def mean_over_processes(value: float, device: torch.device) -> float:
    """The mean of every process's number, the same on all of them."""
    if not distributed.is_initialized():
        return value
    total = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.all_reduce(total)
    return total.item() / distributed.get_world_size()


def from_all_processes(numbers: Tensor, device: torch.device) -> Tensor:
    """Collect every process's (N,) into (W, N), on the CPU of all of them."""
    if not distributed.is_initialized():
        return numbers[None]
    numbers = numbers.to(device)
    rows = [torch.empty_like(numbers) for _ in range(distributed.get_world_size())]
    distributed.all_gather(rows, numbers)
    return torch.stack(rows).cpu()


def wait_for_all() -> None:
    """Go on when every process has come this far."""
    if distributed.is_initialized():
        distributed.barrier()


def whole(tensor: Tensor) -> Tensor:
    """The full tensor of which every process has a shard, or the tensor itself."""
    return getattr(tensor, "full_tensor", lambda: tensor)()
