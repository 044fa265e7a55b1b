"""How much work a chapter does: the same notebook on CI, on a laptop and on a GPU.

`BIGMODEL_PROFILE` sets the profile; without it, a machine with the variable `CI` is "ci", one
whose NVIDIA driver lists a GPU is "gpu", and any other is "laptop". No framework is imported.
The outputs stored in the chapters are those of "ci".
"""

import os
import shutil
import subprocess
from functools import cache
from typing import Literal, TypeVar, get_args

Profile = Literal["ci", "laptop", "gpu"]
T = TypeVar("T")


def profile() -> Profile:
    """Name the profile of this machine.

    Raises:
        ValueError: If `BIGMODEL_PROFILE` is set to something else.
    """
    chosen = os.environ.get("BIGMODEL_PROFILE", "")
    for name in get_args(Profile):
        if chosen == name:
            return name
    if chosen:
        raise ValueError(f"BIGMODEL_PROFILE must be one of {get_args(Profile)}, got {chosen!r}")
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return "ci"
    return "gpu" if _has_gpu() else "laptop"


def pick(*, ci: T, laptop: T, gpu: T) -> T:
    """Return the value meant for this machine's profile."""
    return {"ci": ci, "laptop": laptop, "gpu": gpu}[profile()]


@cache
def _has_gpu() -> bool:
    """Ask the driver, which answers without a framework; wait ten seconds at most."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        answer = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU " in answer.stdout
