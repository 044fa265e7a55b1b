"""The landing page's picture is to scale: its squares are the library's counts."""

import math
import xml.etree.ElementTree as ET

import pytest

from bigmodel_lib.accounting.parameters import count_parameters, meta_model
from bigmodel_lib.configs import bert, gpt, mlp
from bigmodel_lib.models.bert import BERT
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.mlp import MLP
from tools.site.build import ROOT

MODELS = [
    lambda: GPT(gpt.GPT3_175B),
    lambda: GPT(gpt.GPT2_XL),
    lambda: BERT(bert.BERT_LARGE),
    lambda: BERT(bert.MINILM_L6),
    lambda: MLP(mlp.MNIST_MLP),
]


def test_areas_are_parameters() -> None:
    squares = [e for e in ET.parse(ROOT / "book/figures/scale.svg").iter() if "width" in e.attrib]
    counts = [int(square.get("data-parameters", 0)) for square in squares]
    assert counts == [count_parameters(meta_model(build)) for build in MODELS]
    unit = float(squares[0].attrib["width"]) / math.sqrt(counts[0])
    for square, count in zip(squares, counts, strict=True):
        side = float(square.attrib["width"])
        assert side == float(square.attrib["height"])
        assert side == pytest.approx(unit * math.sqrt(count), abs=5e-4)
