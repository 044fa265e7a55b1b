"""Tests of bigmodel_lib/weights/pretrained.py."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import BertModel

from bigmodel_lib.configs.bert import MINILM_L6
from bigmodel_lib.configs.gpt import TINY
from bigmodel_lib.layers.masks import padding_mask
from bigmodel_lib.models.bert import BERT
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.weights.pretrained import from_pretrained, load_tokenizer, to_pretrained
from bigmodel_lib.weights.sources import find_folder

MINILM = "all-MiniLM-L6-v2"


@pytest.fixture
def folder(tmp_path):
    """A folder with a small GPT."""
    to_pretrained(GPT(TINY), tmp_path)
    return tmp_path


def test_the_real_network_is_the_published_one():
    """Hidden states and pooled vectors of real sentences, padded, equal transformers' to 1e-5."""
    model, tokenizer = from_pretrained(MINILM), load_tokenizer(MINILM)
    assert type(model) is BERT
    assert model.config == MINILM_L6.__class__(**{**vars(MINILM_L6), "dropout": 0.1})
    theirs = BertModel.from_pretrained(find_folder(MINILM), attn_implementation="eager").eval()

    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch(
        ["A cat.", "The quick brown fox jumps over the lazy dog, again and again.", "42"]
    )
    tokens = torch.tensor([encoding.ids for encoding in encodings])
    real = torch.tensor([encoding.attention_mask for encoding in encodings])
    with torch.no_grad():
        expected = theirs(tokens, attention_mask=real)
        hidden = model(tokens, padding_mask(real.sum(1), tokens.shape[1]))

    difference = (hidden - expected.last_hidden_state)[real.bool()]
    assert difference.abs().max() < 1e-5
    torch.testing.assert_close(model.pooler(hidden), expected.pooler_output, rtol=1e-5, atol=1e-5)


def test_the_tokenizer_neither_pads_nor_cuts():
    tokenizer = load_tokenizer(MINILM)
    assert tokenizer.encode("a cat").tokens == ["[CLS]", "a", "cat", "[SEP]"]
    assert len(tokenizer.encode("word " * 700).ids) == 702


def test_a_folder_is_a_model_in_evaluation_mode(folder):
    model = from_pretrained(folder)
    assert type(model) is GPT
    assert not model.training
    assert all(p.requires_grad for p in model.parameters())


def test_a_model_can_be_written_in_several_files(tmp_path):
    model = GPT(TINY).eval()
    to_pretrained(model, tmp_path, max_bytes=20_000)
    tokens = torch.zeros(1, 3, dtype=torch.long)

    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    assert torch.equal(from_pretrained(str(tmp_path))(tokens), model(tokens))


def test_a_model_of_another_kind_is_not_written(tmp_path):
    message = "expected one of BERT, BERTMaskedLM, GPT, Llama, ResNet, ViT, got a Linear"
    with pytest.raises(ValueError, match=message):
        to_pretrained(nn.Linear(2, 2), tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba"}, r"model_type is 'mamba', expected one of \['bert', 'gpt2'"),
        ({"model_type": None}, "model_type is None, expected one of"),
        ({"architectures": ["GPT2ForTokenClassification"]}, "'GPT2ForTokenClassification'"),
        ({"activation_function": "relu"}, r"activation_function is 'relu'.*knows only \('gelu_"),
        ({"n_head": 5}, r"d_model \(32\) must be a multiple of n_heads \(5\)"),
        ({"n_layer": 0}, "n_layers must be a whole number of at least 1, got 0"),
        ({"n_embd": None}, "d_model must be a whole number of at least 1, got None"),
        ({"resid_pdrop": "much"}, "not supported between instances of"),
        ({"n_layer": "two"}, "n_layers must be a whole number of at least 1, got 'two'"),
    ],
)
def test_a_config_that_we_do_not_know_is_refused(folder, change, message):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=rf"config\.json: .*{message}"):
        from_pretrained(folder)


def test_a_config_that_lacks_a_number_is_refused(folder):
    path = folder / "config.json"
    description = json.loads(path.read_text())
    del description["n_embd"]
    path.write_text(json.dumps(description))
    with pytest.raises(ValueError, match=r"config\.json: expected a setting 'n_embd', found none"):
        from_pretrained(folder)


def rename_all(tensors):
    return {f"model.{name}": tensor for name, tensor in tensors.items()}


def drop_one(tensors):
    return {name: t for name, t in tensors.items() if name != "transformer.h.1.ln_2.bias"}


def transpose_one(tensors):
    name = "transformer.h.0.mlp.c_fc.weight"
    return tensors | {name: tensors[name].T.contiguous()}


def poison_one(tensors):
    tensors["transformer.wpe.weight"][3, 4] = torch.nan
    return tensors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename_all, r"28 of 28 expected tensors are missing: transformer\.wte\.weight"),
        (drop_one, r"1 of 28 expected tensors are missing: transformer\.h\.1\.ln_2\.bias"),
        (
            transpose_one,
            r"blocks\.0\.ff\.up\.weight must have shape \(128, 32\), found \(32, 128\)",
        ),
        (poison_one, r"position_embed\.table\.weight holds 1 NaN and 0 infinite of 2048 values"),
    ],
)
def test_tensors_that_do_not_fit_are_named(folder, change, message):
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path)
    with pytest.raises(ValueError, match=message):
        from_pretrained(folder)


def test_more_layers_than_the_file_holds(folder):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"n_layer": 3}))
    with pytest.raises(
        ValueError, match=r"12 of 40 expected tensors are missing: transformer\.h\.2"
    ):
        from_pretrained(folder)


def test_a_cut_file_is_named(folder):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    message = rf"cut short: expected {len(content)} bytes, found {len(content) - 100}"
    with pytest.raises(ValueError, match=message):
        from_pretrained(folder)


def test_a_pickle_in_disguise_is_named(folder):
    torch.save({"a": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors is a pickle; it was not opened"):
        from_pretrained(folder)


def test_a_folder_without_a_tokenizer_is_named(folder):
    with pytest.raises(FileNotFoundError, match=r"expected tokenizer\.json in .*, found none"):
        load_tokenizer(folder)


def test_a_file_that_is_no_tokenizer_is_named(folder):
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(ValueError, match=r"expected a tokenizer in .*tokenizer\.json"):
        load_tokenizer(folder)
