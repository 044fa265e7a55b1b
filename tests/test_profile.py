"""Tests of bigmodel_lib/profile.py."""

import pytest

from bigmodel_lib import profile as profile_module
from bigmodel_lib.profile import pick, profile

LISTS_A_GPU = "#!/bin/sh\necho 'GPU 0: NVIDIA H100 (UUID: GPU-0)'\n"
SEES_NO_DRIVER = '#!/bin/sh\necho "NVIDIA-SMI has failed: GPU driver not found"\nexit 9\n'


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine without a GPU; `machine(script)` installs an nvidia-smi that runs `script`."""

    def install(script: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(script)
        program.chmod(0o755)
        profile_module._has_gpu.cache_clear()

    monkeypatch.delenv("BIGMODEL_PROFILE", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    profile_module._has_gpu.cache_clear()
    yield install
    profile_module._has_gpu.cache_clear()


def test_a_plain_machine_is_a_laptop(machine):
    assert profile() == "laptop"


@pytest.mark.parametrize(
    ("script", "expected"),
    [(LISTS_A_GPU, "gpu"), (SEES_NO_DRIVER, "laptop"), ("not a program", "laptop")],
)
def test_the_driver_is_asked_for_a_gpu(machine, script, expected):
    machine(script)
    assert profile() == expected


def test_ci_wins_over_a_gpu(machine, monkeypatch):
    machine(LISTS_A_GPU)
    monkeypatch.setenv("CI", "true")
    assert profile() == "ci"
    monkeypatch.setenv("CI", "false")
    assert profile() == "gpu"


@pytest.mark.parametrize(("name", "value"), [("ci", 1), ("laptop", 2), ("gpu", 3)])
def test_the_variable_wins_over_everything(machine, monkeypatch, name, value):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("BIGMODEL_PROFILE", name)
    assert profile() == name
    assert pick(ci=1, laptop=2, gpu=3) == value


def test_an_unknown_profile_is_refused(machine, monkeypatch):
    monkeypatch.setenv("BIGMODEL_PROFILE", "GPU")
    with pytest.raises(ValueError, match=r"one of \('ci', 'laptop', 'gpu'\), got 'GPU'"):
        profile()
