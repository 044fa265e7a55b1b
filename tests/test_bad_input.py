"""Bad input, all over the library: a `ValueError` at the boundary, with the numbers that matter.

One row a case: where, what is wrong, the call, and what the message must say (a pattern). The
modules' own tests have more; here is the list that can be counted.
"""
# ruff: noqa: E501 - a table, one line a row

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from bigmodel_lib.accounting.energy import GPT3_SITE, Site, training_energy
from bigmodel_lib.accounting.flops import decoder_flops, training_flops
from bigmodel_lib.accounting.hardware import flops_utilisation, measure_peak_flops
from bigmodel_lib.accounting.memory import cache_bytes
from bigmodel_lib.accounting.parameters import parameters_by_part
from bigmodel_lib.configs import (
    bert,
    cnn,
    gpt,
    inception,
    llama,
    mlp,
    resnet,
    rnn,
    transformer,
    vgg,
    vit,
)
from bigmodel_lib.configs.training import TrainingConfig
from bigmodel_lib.data.bpe import train_bpe
from bigmodel_lib.data.digits import load_digits
from bigmodel_lib.data.images import load_images
from bigmodel_lib.data.multi30k import load_multi30k
from bigmodel_lib.data.ratings import draw_ratings
from bigmodel_lib.data.shapes import draw_scenes
from bigmodel_lib.data.speech import speak
from bigmodel_lib.data.speech_commands import load_speech_commands
from bigmodel_lib.data.text import load_text
from bigmodel_lib.data.tokenizers import BytePairTokenizer, CharacterTokenizer
from bigmodel_lib.data.translation import draw_dates, draw_numbers
from bigmodel_lib.generation.beam import beam_search
from bigmodel_lib.generation.cache import KeyValueStore
from bigmodel_lib.generation.conditioned import Conditioned
from bigmodel_lib.generation.packed import PackedDecoder
from bigmodel_lib.generation.padded import generate_padded
from bigmodel_lib.generation.sampling import generate, next_token
from bigmodel_lib.layers.attention import GroupedQueryAttention, MultiHeadAttention
from bigmodel_lib.layers.convolution import Convolution
from bigmodel_lib.layers.dropout import Dropout
from bigmodel_lib.layers.embeddings import TokenEmbedding
from bigmodel_lib.layers.linear import Linear
from bigmodel_lib.layers.masks import padding_mask, sliding_window_mask
from bigmodel_lib.layers.norms import BatchNorm, LayerNorm
from bigmodel_lib.layers.patches import PatchEmbedding
from bigmodel_lib.layers.pooling import MaxPool
from bigmodel_lib.layers.positions import RotaryPosition
from bigmodel_lib.layers.recurrent import LSTM
from bigmodel_lib.models.bert import BERT
from bigmodel_lib.models.cnn import CNN
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama
from bigmodel_lib.models.mlp import MLP
from bigmodel_lib.models.resnet import ResNet
from bigmodel_lib.models.rnn import RNNLanguageModel
from bigmodel_lib.models.sentence_encoder import SentenceEncoder
from bigmodel_lib.models.transformer import Transformer
from bigmodel_lib.models.vit import ViT
from bigmodel_lib.training.batches import ShuffledBatches, TokenBatches
from bigmodel_lib.training.loop import train
from bigmodel_lib.training.objectives import cross_entropy, mean_squared_error, next_token_loss
from bigmodel_lib.training.optimizers import SGD, AdamW
from bigmodel_lib.training.schedules import cosine
from bigmodel_lib.weights.files import load, save
from bigmodel_lib.weights.pretrained import from_pretrained, to_pretrained


class Case(NamedTuple):
    """A mistake, and how the library should answer."""

    area: str
    name: str
    call: Callable[[Path], object]  # given an empty folder
    message: str


def ids(*shape: int, value: int = 0) -> Tensor:
    return torch.full(shape, value)


# --- files that hold wrong weights ---------------------------------------------------------------
SQUARE = mlp.MLPConfig(widths=(4, 4))


def edited(path: Path, change: Callable[[dict[str, Tensor]], object]) -> MLP:
    """Save a model, change what the file says as somebody else's program would, load it."""
    save(MLP(SQUARE), path / "model.safetensors")
    tensors = load_file(path / "model.safetensors")
    change(tensors)
    save_file(tensors, path / "model.safetensors")
    return load(MLP(SQUARE), path / "model.safetensors")


def flipped(path: Path) -> MLP:
    file = path / "model.safetensors"
    save(MLP(SQUARE), file)
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    return load(MLP(SQUARE), file)


def cut(path: Path) -> MLP:
    file = path / "model.safetensors"
    save(MLP(SQUARE), file)
    file.write_bytes(file.read_bytes()[:-8])
    return load(MLP(SQUARE), file)


def pickled(path: Path) -> MLP:
    torch.save({"weight": torch.ones(1)}, path / "model.safetensors")
    return load(MLP(SQUARE), path / "model.safetensors")


def spoilt(value: float, where: int = 0) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors["layers.1.weight"].view(-1)[where].fill_(value)


def saved_nan(path: Path) -> None:
    model = MLP(SQUARE)
    with torch.no_grad():
        model.layers[1].bias[1:3] = math.nan
    save(model, path / "model.safetensors")


def transposed_llama(path: Path) -> nn.Module:
    """A matrix that is not square, in a folder of Hugging Face's format."""
    to_pretrained(Llama(llama.TINY), path)
    file = path / "model.safetensors"
    tensors = load_file(file)
    name = "model.layers.0.mlp.down_proj.weight"
    tensors[name] = tensors[name].T.contiguous()
    save_file(tensors, file)
    return from_pretrained(path)


def config_says(path: Path, **changes: object) -> nn.Module:
    to_pretrained(GPT(gpt.TINY), path)
    file = path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return from_pretrained(path)


# --- small things to call ------------------------------------------------------------------------
def tiny_transformer() -> Transformer:
    return Transformer(
        transformer.TransformerConfig(
            vocab_size=9, max_len=8, n_layers=1, n_heads=1, d_model=4, d_ff=4
        )
    )


def words_tokenizer() -> Tokenizer:
    from tokenizers import models

    return Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))


def with_nan(*shape: int) -> Tensor:
    logits = torch.zeros(shape)
    logits.view(-1)[:2] = math.nan
    return logits


def fit(loss: Callable[..., Tensor], **changes: object) -> object:
    config = TrainingConfig(**({"n_steps": 2, "learning_rate": 0.1} | changes))
    return train(nn.Linear(2, 1), lambda i: (torch.ones(3, 2),), loss, config, show=False)


def store() -> KeyValueStore:
    return KeyValueStore(1, 4, n_layers=1, n_kv_heads=2, d_head=3)


SAMPLE = {"vocab_size": 9, "max_len": 8, "n_layers": 1, "n_heads": 2, "d_model": 4, "d_ff": 4}

# fmt: off
CASES = [Case(*row) for row in (
    # configs: contradictions
    ("configs", "heads do not divide the width", lambda _: gpt.GPTConfig(**SAMPLE | {"n_heads": 3}), r"d_model \(4\) must be a multiple of n_heads \(3\)"),
    ("configs", "no layers", lambda _: gpt.GPTConfig(**SAMPLE | {"n_layers": 0}), "n_layers must be a whole number of at least 1, got 0"),
    ("configs", "a fraction of a layer", lambda _: replace(bert.TINY, n_layers=1.5), r"n_layers must be a whole number of at least 1, got 1\.5"),
    ("configs", "everything is dropped", lambda _: replace(gpt.TINY, dropout=1.0), r"dropout must be in \[0, 1\), got 1\.0"),
    ("configs", "negative spread", lambda _: replace(gpt.TINY, init_std=-0.02), r"init_std must be a finite number above 0, got -0\.02"),
    ("configs", "a norm without epsilon", lambda _: replace(vit.TINY, norm_eps=0.0), r"norm_eps must be a finite number above 0, got 0\.0"),
    ("configs", "key-value heads do not divide the heads", lambda _: replace(llama.TINY, n_kv_heads=3), r"n_heads \(4\) must be a multiple of n_kv_heads \(3\)"),
    ("configs", "rotary heads of odd width", lambda _: replace(llama.TINY, d_model=12), r"must be even for rotary positions, got 12 / 4 = 3"),
    ("configs", "a stretch that shortens", lambda _: llama.RotaryStretch(factor=0.5, slow=1.0, fast=4.0, original_max_len=8), r"factor must be at least 1, got 0\.5"),
    ("configs", "patches do not tile the image", lambda _: replace(vit.TINY, patch_size=5), r"image_size \(32\) must be a multiple of patch_size \(5\)"),
    ("configs", "an image smaller than its convolutions", lambda _: replace(cnn.CIFAR_CNN, image_size=6), r"image_size \(6\) is too small for two convolutions of kernel_size 3"),
    ("configs", "a network with one level", lambda _: mlp.MLPConfig(widths=(784,)), r"widths must name at least input and output, got \(784,\)"),
    ("configs", "stages without widths", lambda _: replace(resnet.RESNET18, depths=(2, 2, 2)), "must name the same stages, got 3 and 4"),
    ("configs", "VGG's stages without widths", lambda _: replace(vgg.VGG11, depths=(1, 1)), "must name the same stages, got 2 and 5"),
    ("configs", "an even window", lambda _: replace(inception.GOOGLENET, wide_kernel=4), "wide_kernel must be odd to keep the image size, got 4"),
    ("configs", "a cell that nobody has", lambda _: replace(rnn.TINY, cell="lstn"), 'cell must be "rnn", "gru" or "lstm", got "lstn"'),
    ("configs", "sines need an even width", lambda _: transformer.TransformerConfig(**SAMPLE | {"d_model": 3, "n_heads": 1}), "d_model must be even for sines and cosines, got 3"),
    ("configs", "warm-up longer than the run", lambda _: TrainingConfig(n_steps=5, learning_rate=0.1, warmup=5), r"warmup \(5\) must be at least 0 and below n_steps \(5\)"),
    ("configs", "no learning rate", lambda _: TrainingConfig(n_steps=5, learning_rate=0.0), r"learning_rate must be .*, got 0\.0"),
    ("configs", "a learning rate that is no number", lambda _: TrainingConfig(n_steps=5, learning_rate=math.nan), "learning_rate must be .*, got nan"),
    ("configs", "a decay rate of one", lambda _: TrainingConfig(n_steps=5, learning_rate=0.1, betas=(0.9, 1.0)), r"betas must be two numbers in \[0, 1\), got \(0\.9, 1\.0\)"),
    ("configs", "negative weight decay", lambda _: TrainingConfig(n_steps=5, learning_rate=0.1, weight_decay=-1.0), r"weight_decay must be .*, got -1\.0"),
    ("configs", "a floor above the peak", lambda _: TrainingConfig(n_steps=5, learning_rate=0.1, floor=1.5), r"floor must be in \[0, 1\], got 1\.5"),
    ("configs", "an unknown precision", lambda _: TrainingConfig(n_steps=5, learning_rate=0.1, precision="fp8"), r"precision must be one of .*'fp32', 'bf16'.*, got 'fp8'"),
    # layers: shapes, types, devices
    ("layers", "vectors of another width", lambda _: Linear(4, 2)(torch.zeros(3, 5)), r"x must have shape \(\.\.\., 4\), got \(3, 5\)"),
    ("layers", "a layer of no outputs", lambda _: Linear(4, 0), "d_out must be at least 1, got 0"),
    ("layers", "heads that do not divide", lambda _: MultiHeadAttention(6, 4), r"d_model \(6\) must be a multiple of n_heads \(4\)"),
    ("layers", "groups that do not divide", lambda _: GroupedQueryAttention(12, 6, n_kv_heads=4), r"n_heads \(6\) must be a multiple of n_kv_heads \(4\)"),
    ("layers", "attention to vectors of another width", lambda _: MultiHeadAttention(6, 2)(torch.zeros(1, 3, 5)), r"x must have shape \(B, T, 6\), got \(1, 3, 5\)"),
    ("layers", "a mask of numbers", lambda _: MultiHeadAttention(6, 2)(torch.zeros(1, 3, 6), torch.ones(3, 3)), "attn_mask must be boolean, .* got torch.float32"),
    ("layers", "a mask of another length", lambda _: MultiHeadAttention(6, 2)(torch.zeros(1, 3, 6), torch.ones(3, 4).bool()), r"attn_mask of shape \(3, 4\) does not broadcast .* \(1, 2, 3, 3\)"),
    ("layers", "more tokens than columns", lambda _: padding_mask(torch.tensor([2, 7]), 5), r"lengths must be in 0\.\.5, got 2\.\.7"),
    ("layers", "a window of nothing", lambda _: sliding_window_mask(4, 0), "window must be at least 1, got 0"),
    ("layers", "ids beyond the table", lambda _: TokenEmbedding(5, 3)(torch.tensor([1, 5])), r"token ids must be in 0\.\.4, got 1\.\.5"),
    ("layers", "ids that are fractions", lambda _: TokenEmbedding(5, 3)(torch.zeros(2)), "token ids must be int64 or int32, got torch.float32"),
    ("layers", "ids on another device", lambda _: TokenEmbedding(5, 3)(ids(2).to("meta")), "token ids are on meta, and the table is on cpu"),
    ("layers", "an image smaller than the window", lambda _: Convolution(1, 1, 5)(torch.zeros(1, 1, 4, 9)), "a window of 5×5 does not fit an image of 4×9"),
    ("layers", "an image of whole numbers", lambda _: Convolution(1, 1, 3)(torch.zeros(1, 1, 4, 4, dtype=torch.uint8)), "must hold floating-point numbers, got torch.uint8"),
    ("layers", "an image on another device", lambda _: Convolution(1, 1, 3)(torch.zeros(1, 1, 4, 4, device="meta")), "is on meta, and the filters are on cpu"),
    ("layers", "another number of colours", lambda _: Convolution(3, 1, 3)(torch.zeros(1, 1, 4, 4)), r"x must have shape \(B, 3, H, W\), got \(1, 1, 4, 4\)"),
    ("layers", "pooling beyond the image", lambda _: MaxPool(5)(torch.zeros(1, 1, 4, 4)), "a window of 5×5 does not fit an image of 4×4"),
    ("layers", "patches that do not fit", lambda _: PatchEmbedding(5, 8)(torch.zeros(1, 3, 12, 10)), "an image of 12×10 cannot be cut into squares of 5×5"),
    ("layers", "a norm of another width", lambda _: LayerNorm(4)(torch.zeros(2, 3)), r"x must have shape \(\.\.\., 4\), got \(2, 3\)"),
    ("layers", "batch statistics of one number", lambda _: BatchNorm(3)(torch.zeros(1, 3)), r"\(1, 3\)"),
    ("layers", "an odd rotation", lambda _: RotaryPosition(5), r"even.* 5"),
    ("layers", "a sequence without steps", lambda _: LSTM(3, 4)(torch.zeros(2, 0, 3)), r"at least one step, got x of shape \(2, 0, 3\)"),
    ("layers", "dropout without a layer to follow", lambda _: LSTM(3, 4, dropout=0.5), r"dropout \(0\.5\) acts between layers, but n_layers is 1"),
    ("layers", "a negative probability", lambda _: Dropout(-0.1), r"p must be in \[0, 1\), got -0\.1"),
    # models
    ("models", "a text longer than the table", lambda _: GPT(gpt.TINY)(ids(1, 65)), "got 65 tokens, but max_len is 64"),
    ("models", "an empty batch", lambda _: GPT(gpt.TINY)(ids(0, 5)), r"at least one token, got shape \(0, 5\)"),
    ("models", "one text without a batch", lambda _: Llama(llama.TINY)(ids(5)), r"tokens must have shape \(B, T\), got \(5,\)"),
    ("models", "ids out of range", lambda _: Llama(llama.TINY)(ids(1, 3, value=65)), r"token ids must be in 0\.\.64, got 65\.\.65"),
    ("models", "negative ids", lambda _: BERT(bert.TINY)(ids(1, 3, value=-1)), r"token ids must be in 0\.\.64, got -1\.\.-1"),
    ("models", "segments of another shape", lambda _: BERT(bert.TINY)(ids(2, 3), None, ids(2, 4)), r"segments must have shape \(2, 3\), got \(2, 4\)"),
    ("models", "a segment too many", lambda _: BERT(bert.TINY)(ids(1, 3), None, ids(1, 3, value=2)), r"must be in 0\.\.1, got 2\.\.2"),
    ("models", "tokens on another device", lambda _: GPT(gpt.TINY)(ids(1, 3).to("meta")), "token ids are on meta, and the table is on cpu"),
    ("models", "an image of another size", lambda _: ViT(vit.TINY)(torch.zeros(1, 3, 16, 32)), r"images must have shape \(B, 3, 32, 32\), got \(1, 3, 16, 32\)"),
    ("models", "channels last", lambda _: CNN(cnn.CIFAR_CNN)(torch.zeros(1, 32, 32, 3)), r"images must have shape \(B, 3, 32, 32\), got \(1, 32, 32, 3\)"),
    ("models", "pixels as bytes", lambda _: CNN(cnn.CIFAR_CNN)(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)), "must hold floating-point numbers, got torch.uint8"),
    ("models", "a grey image for a coloured net", lambda _: ResNet(resnet.RESNET18)(torch.zeros(2, 1, 64, 64)), r"must have shape \(B, 3, H, W\), got \(2, 1, 64, 64\)"),
    ("models", "examples of another size", lambda _: MLP(mlp.MNIST_MLP)(torch.zeros(2, 8, 8)), r"must hold 784 values, got 64 from an input of shape \(2, 8, 8\)"),
    ("models", "counts instead of values", lambda _: MLP(SQUARE)(ids(2, 4)), "must hold floating-point numbers, got torch.int64"),
    ("models", "a text without tokens", lambda _: RNNLanguageModel(rnn.TINY)(ids(2, 0)), r"at least one token, got shape \(2, 0\)"),
    ("models", "a state of another batch", lambda _: RNNLanguageModel(replace(rnn.TINY, cell="gru")).step(ids(2, 1), torch.zeros(1, 3, 32)), r"state must have shape \(1, 2, 32\), got \(1, 3, 32\)"),
    ("models", "a target longer than the table", lambda _: tiny_transformer()(ids(1, 3), ids(1, 9)), "got 9 target tokens, but max_len is 8"),
    ("models", "sources and targets that do not pair", lambda _: tiny_transformer()(ids(2, 3), ids(3, 3)), "got 3 targets for 2 sources"),
    ("models", "no sentences", lambda _: SentenceEncoder(BERT(bert.TINY), words_tokenizer(), max_tokens=8)([]), r"a list of at least one text, got \[\]"),
    ("models", "sentences cut to nothing", lambda _: SentenceEncoder(BERT(bert.TINY), words_tokenizer(), max_tokens=1), r"from 2 to the model's max_len \(64\), got 1"),
    # weights
    ("weights", "a flipped bit", flipped, "was altered: expected tensors with SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}"),
    ("weights", "a file cut short", cut, r"model\.safetensors.*\d+ bytes"),
    ("weights", "a pickle", pickled, "pickle"),
    ("weights", "NaN in a file", lambda p: edited(p, spoilt(math.nan)), r"layers\.1\.weight holds 1 NaN and 0 infinite of 16 values"),
    ("weights", "infinity in a file", lambda p: edited(p, spoilt(-math.inf, 5)), r"layers\.1\.weight holds 0 NaN and 1 infinite of 16 values"),
    ("weights", "NaN on its way into a file", saved_nan, r"layers\.1\.bias holds 2 NaN and 0 infinite of 4 values"),
    ("weights", "all names are wrong", lambda p: edited(p, lambda t: [t.__setitem__("x." + n, t.pop(n)) for n in list(t)]), r"2 of 2 expected tensors are missing: layers\.1\.\w+.*2 of 2 tensors found are not expected: x\.layers\.1"),
    ("weights", "a bias is missing", lambda p: edited(p, lambda t: t.pop("layers.1.bias")), r"1 of 2 expected tensors are missing: layers\.1\.bias"),
    ("weights", "one number too few", lambda p: edited(p, lambda t: t.update({"layers.1.bias": torch.zeros(3)})), r"layers\.1\.bias must have shape \(4,\), found \(3,\)"),
    ("weights", "whole numbers for weights", lambda p: edited(p, lambda t: t.update({"layers.1.bias": torch.zeros(4, dtype=torch.int64)})), r"layers\.1\.bias must be of type float32, found int64"),
    ("weights", "a transposed matrix", transposed_llama, r"down.* must have shape \(32, 88\), found \(88, 32\), its transpose"),
    ("weights", "a config with more layers than the file", lambda p: config_says(p, n_layer=3), r"\d+ of \d+ expected tensors are missing: .*h\.2\."),
    ("weights", "a config of another activation", lambda p: config_says(p, activation_function="relu"), "activation_function is 'relu', but this model knows only"),
    ("weights", "a config that contradicts itself", lambda p: config_says(p, n_head=5), r"d_model \(32\) must be a multiple of n_heads \(5\)"),
    ("weights", "a kind of model that we lack", lambda p: config_says(p, model_type="mamba"), "'mamba'"),
    # training
    ("training", "arrays that would be broadcast", lambda _: mean_squared_error(torch.zeros(4, 1), torch.zeros(4)), r"predictions \(4, 1\) and targets \(4,\) must have the same shape"),
    ("training", "an answer that is no class", lambda _: cross_entropy(torch.zeros(2, 5), ids(2, value=5)), r"target ids must be in \[0, 5\), got 5"),
    ("training", "answers of another shape", lambda _: cross_entropy(torch.zeros(2, 5), ids(3)), r"logits \(2, 5\) need targets of shape \(2,\), got \(3,\)"),
    ("training", "all answers are left out", lambda _: cross_entropy(torch.zeros(2, 5), ids(2, value=-100)), "no target counts: all 2 are -100"),
    ("training", "smoothing all away", lambda _: cross_entropy(torch.zeros(2, 5), ids(2), label_smoothing=1.0), r"label_smoothing must be in \[0, 1\), got 1\.0"),
    ("training", "no next token", lambda _: next_token_loss(torch.zeros(2, 1, 5), ids(2, 1)), "at least 2 tokens to have a next one, got 1"),
    ("training", "a negative learning rate", lambda _: SGD([torch.zeros(1)], -0.1), r"learning rate must be positive, got -0\.1"),
    ("training", "momentum that never fades", lambda _: SGD([torch.zeros(1)], 0.1, momentum=1.0), r"momentum must be in \[0, 1\), got 1\.0"),
    ("training", "a second moment that never fades", lambda _: AdamW([torch.zeros(1)], 0.1, betas=(0.9, 1.0)), r"beta2 must be in \[0, 1\), got 1\.0"),
    ("training", "a schedule of no steps", lambda _: cosine(0), "n_steps must be at least 1, got 0"),
    ("training", "a text shorter than a window", lambda _: TokenBatches(ids(5), 2, 8), r"at least 8 tokens, got shape \(5,\)"),
    ("training", "images without their labels", lambda _: ShuffledBatches(torch.zeros(4, 2), ids(3), batch_size=2), r"the same number of examples, got \[4, 3\]"),
    ("training", "a batch larger than the data", lambda _: ShuffledBatches(torch.zeros(4, 2), batch_size=5), "4 examples are fewer than one batch of 5"),
    ("training", "a loss that is no number", lambda _: fit(lambda m, x: m(x).mean() * math.nan), "the loss is nan at step 0"),
    ("training", "patience without a look", lambda _: fit(lambda m, x: m(x).mean(), patience=3), r"patience \(3\) needs evaluate, which is None"),
    # generation
    ("generation", "negative temperature", lambda _: generate(GPT(gpt.TINY), ids(1, 2), 1, temperature=-0.5), r"temperature must be at least 0 and finite, got -0\.5"),
    ("generation", "an empty prompt", lambda _: generate(GPT(gpt.TINY), ids(1, 0), 1), r"at least one token, got shape \(1, 0\)"),
    ("generation", "a prompt that is no batch", lambda _: generate(GPT(gpt.TINY), ids(3), 1), r"tokens must be \(B, T\) .* got shape \(3,\)"),
    ("generation", "a mass above one", lambda _: generate(GPT(gpt.TINY), ids(1, 2), 1, top_p=1.5), r"top_p must be in \(0, 1\], got 1\.5"),
    ("generation", "the best of none", lambda _: generate(GPT(gpt.TINY), ids(1, 2), 1, top_k=0), "top_k must be at least 1, got 0"),
    ("generation", "less than nothing", lambda _: generate(GPT(gpt.TINY), ids(1, 2), -1), "max_new_tokens must be at least 0, got -1"),
    ("generation", "a stop that is no token", lambda _: generate(GPT(gpt.TINY), ids(1, 2), 1, stop_token=65), r"stop_token must be in 0\.\.64, got 65"),
    ("generation", "a prompt with an unknown id", lambda _: generate(GPT(gpt.TINY), ids(1, 2, value=99), 1), r"token ids must be in 0\.\.64, got 99\.\.99"),
    ("generation", "scores that are no numbers", lambda _: next_token(with_nan(3, 7)), "logits hold 2 NaN of 21"),
    ("generation", "the best of scores that are no numbers", lambda _: next_token(with_nan(3, 7), temperature=0.0), "logits hold 2 NaN of 21"),
    ("generation", "no prompts", lambda _: generate_padded(GPT(gpt.TINY), [], 1), "at least one prompt, got none"),
    ("generation", "a text that outgrows the model", lambda _: generate_padded(GPT(gpt.TINY), [ids(60)], 9), "got 1 tokens after 64 in the cache, but max_len is 64"),
    ("generation", "a cache of whole numbers", lambda _: generate(GPT(gpt.TINY), ids(1, 2), 1, cache_dtype=torch.int8), r"dtype must be one of .*, got torch\.int8"),
    ("generation", "no beams", lambda _: beam_search(GPT(gpt.TINY), ids(1, 2), 3, n_beams=0), "n_beams must be at least 1, got 0"),
    ("generation", "a beam longer than the model", lambda _: beam_search(GPT(gpt.TINY), ids(1, 60), 5, n_beams=2), "60 tokens and 5 new ones exceed max_len 64"),
    ("generation", "a cache that is full", lambda _: store().update(0, torch.zeros(1, 2, 5, 3), torch.zeros(1, 2, 5, 3)), "5 positions after 0 exceed the cache's 4"),
    ("generation", "a cache of other heads", lambda _: store().update(0, torch.zeros(1, 3, 2, 3), torch.zeros(1, 3, 2, 3)), r"\(1, 2, 2, 3\), got \(1, 3, 2, 3\)"),
    ("generation", "targets without sources", lambda _: Conditioned(tiny_transformer(), ids(2, 3))(ids(3, 1)), r"got 3 targets for 2 sources"),
    ("generation", "an unknown format", lambda _: PackedDecoder(GPT(gpt.TINY), weights="int3"), "weights must be .*'int8', got 'int3'"),
    # data
    ("data", "no dates", lambda _: draw_dates(0), "n_pairs must be at least 1, got 0"),
    ("data", "more numbers than there are", lambda _: draw_numbers(11, largest=9), "10 numbers up to 9, got n_pairs 11"),
    ("data", "a part that does not exist", lambda p: load_multi30k("dev", folder=p), r"'train', 'valid', 'test'.* got 'dev'"),
    ("data", "a word that nobody said", lambda p: load_speech_commands(words=("maybe",), folder=p), r"got \['maybe'\]"),
    ("data", "a corpus that we lack", lambda _: load_text("tolstoy"), "got 'tolstoy'"),
    ("data", "digits of another size", lambda _: load_digits(16), "size must be 8 or 28, got 16"),
    ("data", "nothing to test on", lambda _: load_digits(8, test_fraction=0.0), r"test_fraction must be in \(0, 1\), got 0\.0"),
    ("data", "images of nothing", lambda _: load_images(n_train=0, n_test=5), "must be at least 1, got 0 and 5"),
    ("data", "five shapes in a scene", lambda _: draw_scenes(1, n_shapes=5), "n_shapes 1 to 4 .* got 1, 5 and 32"),
    ("data", "more ratings than pairs", lambda _: draw_ratings(2, 3, 7), "n_ratings must be at most 6, got 7"),
    ("data", "a pitch too high", lambda _: speak("a", pitch=100), "pitch 0 to 99, got 'a', 160 and 100"),
    ("data", "a vocabulary smaller than the bytes", lambda _: train_bpe("abc", 100), "vocab_size must be at least 256, got 100"),
    ("data", "a character that was never seen", lambda _: CharacterTokenizer("abc").encode("abz"), r"the vocabulary has no 'z' \(in 3 characters\)"),
    ("data", "an id that was never given", lambda _: CharacterTokenizer("abc").decode([0, 3]), r"ids must be in \[0, 3\), got 3"),
    ("data", "a merge of what was never made", lambda _: BytePairTokenizer([(b"ab", b"c")]), "cannot merge b'ab' and b'c'"),
    # accounting
    ("accounting", "no time at all", lambda _: flops_utilisation(1e9, 0.0, 1e12), r"must be above 0, got 0\.0 and 1000000000000"),
    ("accounting", "a building that makes energy", lambda _: Site(power_usage_effectiveness=0.9, kg_co2e_per_kwh=0.4, source=""), r"power_usage_effectiveness must be at least 1, got 0\.9"),
    ("accounting", "a chip that makes energy", lambda _: training_energy(1e9, flops_per_second=1e9, watts=-5.0, site=GPT3_SITE), r"at least 0, got 1000000000\.0 and -5\.0"),
    ("accounting", "a text of no tokens", lambda _: decoder_flops(gpt.TINY, 0), "n_tokens must be at least 1, got 0"),
    ("accounting", "a model of fewer than no parameters", lambda _: training_flops(-1.0, 1e9), r"at least 0, got -1\.0 and 1000000000"),
    ("accounting", "a cache of no heads", lambda _: cache_bytes(8, n_layers=2, n_kv_heads=0, d_head=4), "n_kv_heads must be at least 1, got 0"),
    ("accounting", "parts of no depth", lambda _: parameters_by_part(GPT(gpt.TINY), depth=0), "depth must be at least 1, got 0"),
    ("accounting", "a matrix without rows", lambda _: measure_peak_flops(size=0), "size must be at least 1, got 0"),
)]
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.area}: {case.name}")
def test_a_mistake_is_told_with_its_numbers(case, tmp_path):
    with pytest.raises(ValueError, match=case.message):
        case.call(tmp_path)


@pytest.mark.parametrize("name", ["layers.1.weight"])
def test_a_transposed_square_matrix_is_noticed(tmp_path, name):
    """Its shape is right; the digest that the file carries is not."""
    file = tmp_path / "model.safetensors"
    save(MLP(SQUARE), file)
    content, tensors = file.read_bytes(), load_file(file)
    old = tensors[name].numpy().tobytes()
    new = np.ascontiguousarray(tensors[name].numpy().T).tobytes()
    assert content.count(old) == 1
    file.write_bytes(content.replace(old, new))
    with pytest.raises(
        ValueError, match=r"was altered: expected tensors with SHA-256 [0-9a-f]{64}"
    ):
        load(MLP(SQUARE), file)


def test_every_area_has_its_cases():
    """At least 40 in all; no two of the same name; every message asks for a number or a name."""
    counts = Counter(case.area for case in CASES)
    areas = "configs layers models weights training generation data accounting".split()  # noqa: SIM905
    assert list(counts) == areas
    assert min(counts.values()) >= 8
    assert len(CASES) >= 100
    assert len({(case.area, case.name) for case in CASES}) == len(CASES)
