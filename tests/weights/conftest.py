"""Read a folder that `transformers` wrote, and have it read one that we wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bigmodel_lib.weights.pretrained import from_pretrained, to_pretrained


@pytest.fixture
def assert_travels(tmp_path: Path) -> Callable[..., None]:
    """Their model, saved by them, is ours; ours, saved by us, is theirs: the same outputs."""

    def travels(
        theirs: Any,
        run: Callable[[nn.Module], Tensor],
        run_theirs: Callable[[Any], Tensor],
        **options: Any,
    ) -> nn.Module:
        for parameter in theirs.parameters():
            nn.init.normal_(parameter, mean=0.1, std=0.3)
        theirs.eval().save_pretrained(tmp_path / "theirs", **options)
        ours = from_pretrained(tmp_path / "theirs")
        assert not ours.training
        torch.testing.assert_close(run(ours), run_theirs(theirs), rtol=1e-5, atol=1e-5)

        to_pretrained(ours, tmp_path / "ours")
        back, report = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
        assert not any(report[kind] for kind in report if kind.endswith(("keys", "msgs")))
        for name, tensor in back.state_dict().items():
            assert name.endswith("num_batches_tracked") or tensor.equal(theirs.state_dict()[name])
        torch.testing.assert_close(run_theirs(back.eval()), run_theirs(theirs), rtol=0, atol=0)
        return ours

    return travels
