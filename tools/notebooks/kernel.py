"""The kernel that every chapter runs in: one environment for executing and for validating."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from jupyter_client.kernelspec import KernelSpecManager

# Two chapters are validated at a time on two cores, so each kernel computes on one thread.
# With one thread the order of a sum, and so its last digits, do not depend on the machine.
ENVIRONMENT = {
    "BIGMODEL_PROFILE": "ci",
    "CUDA_VISIBLE_DEVICES": "-1",
    "HF_HUB_OFFLINE": "1",
    "KERAS_BACKEND": "tensorflow",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore:IProgress not found",  # tqdm without widgets
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TZ": "UTC",
}
CELL_TIMEOUT = 120  # seconds
# From the start of the kernel to the end of the last cell. On a machine that does other work the
# wall clock runs on while the kernel waits: a chapter is too slow when its CPU seconds are too many
# as well. One kernel computes on one thread, so on an idle machine the two are close.
CHAPTER_SECONDS = 60


@contextmanager
def kernel_environment() -> Iterator[None]:
    """Set the variables that a kernel started inside inherits; put the old ones back after."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def this_python() -> KernelSpecManager:
    """Find one kernel only: the interpreter that is running, whatever the user has installed."""
    return KernelSpecManager(kernel_dirs=[])
