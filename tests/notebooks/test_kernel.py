"""Tests of tools/notebooks/kernel.py."""

import os
import sys

from jupyter_client.manager import KernelManager

from tools.notebooks.kernel import ENVIRONMENT, kernel_environment, this_python


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("BIGMODEL_PROFILE", "gpu")
    monkeypatch.delenv("TZ", raising=False)
    with kernel_environment():
        assert {name: os.environ[name] for name in ENVIRONMENT} == ENVIRONMENT
    assert os.environ["BIGMODEL_PROFILE"] == "gpu"
    assert "TZ" not in os.environ


def test_the_kernel_is_the_running_interpreter(tmp_path, monkeypatch):
    """Also where the user has installed another kernel under the same name."""
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["/nowhere/python"], "display_name": "x"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=this_python())

    assert manager.kernel_spec.argv[0] == sys.executable
