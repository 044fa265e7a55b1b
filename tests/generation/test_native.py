"""Tests of bigmodel_lib/generation/native.py and of native.cpp behind it."""

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn

from bigmodel_lib.compression.quantization import dequantize, quantize
from bigmodel_lib.configs import gpt, llama
from bigmodel_lib.configs.gpt import GPTConfig
from bigmodel_lib.configs.llama import LlamaConfig, RotaryStretch
from bigmodel_lib.configs.rnn import RNNConfig
from bigmodel_lib.generation import native_code
from bigmodel_lib.generation.beam import beam_search
from bigmodel_lib.generation.cache import KeyValueStore, cache_for
from bigmodel_lib.generation.native import NativeDecoder, side_by_side
from bigmodel_lib.generation.padded import generate_padded
from bigmodel_lib.generation.sampling import generate
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama
from bigmodel_lib.models.rnn import RNNLanguageModel

try:
    native_code.find_compiler()
except ValueError as error:
    pytest.skip(str(error), allow_module_level=True)

V = 65
STRETCH = RotaryStretch(factor=8.0, slow=1.0, fast=4.0, original_max_len=16)
PRIME_GPT = GPTConfig(vocab_size=V, max_len=23, n_layers=3, n_heads=1, d_model=17, d_ff=67)
PRIME_LLAMA = LlamaConfig(
    vocab_size=V, max_len=23, n_layers=3, n_heads=3, n_kv_heads=1, d_model=66, d_ff=71, norm_eps=0.1
)
MODELS = {
    "GPT": lambda: GPT(gpt.TINY),
    "GPT, one head, prime widths": lambda: GPT(PRIME_GPT),
    "Llama": lambda: Llama(llama.TINY),
    "one key-value head, tied": lambda: Llama(replace(llama.TINY, n_kv_heads=1, tied=True)),
    "a key-value head each, stretched": lambda: Llama(
        replace(llama.TINY, n_kv_heads=4, stretch=STRETCH)
    ),
    "Llama, odd widths": lambda: Llama(PRIME_LLAMA),
    "one pair a head": lambda: Llama(replace(llama.TINY, d_model=8, d_ff=3, n_kv_heads=2)),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    """Weights with opinions; norms and biases away from where they start."""
    model = MODELS[request.param]().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, mean=0.05, std=0.3)
    return model


@pytest.fixture
def threads() -> Iterator[None]:
    """Give back the number of threads."""
    n_threads = torch.get_num_threads()
    yield
    torch.set_num_threads(n_threads)


def rounded(model: nn.Module, weights: str) -> nn.Module:
    """A copy whose matrices are rounded and then widened again, the embedding excepted."""
    result = copy.deepcopy(model)
    for layer in result.modules():
        if isinstance(layer, nn.Linear):
            w = layer.weight.detach()
            w = w.bfloat16().float() if weights == "bfloat16" else dequantize(quantize(w))
            layer.weight = nn.Parameter(w)
    return result


@torch.no_grad()
def test_logits_are_the_models(model):
    tokens = torch.randint(V, (3, 7))
    found = NativeDecoder(model)(tokens)
    torch.testing.assert_close(found, model(tokens), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weights", ["bfloat16", "int8"])
@torch.no_grad()
def test_rounded_logits_are_those_of_rounded_weights(model, weights):
    """And not those of the weights as they were: rounding has happened."""
    tokens = torch.randint(V, (3, 7))
    found = NativeDecoder(model, weights=weights)(tokens)
    torch.testing.assert_close(found, rounded(model, weights)(tokens), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, model(tokens), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_scores_of_any_size_are_weighed():
    """Scores of some hundreds, of which no exponential is a float32."""
    model, tokens = GPT(gpt.TINY), torch.randint(V, (2, 7))
    for block in model.blocks:
        nn.init.normal_(block.attn.to_qkv.weight, std=2.0)
    found = NativeDecoder(model)(tokens)
    torch.testing.assert_close(found, model(tokens), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("batch", [1, 2, 5])
@torch.no_grad()
def test_a_text_in_pieces_is_the_text_at_once(model, batch):
    """Whatever the number of rows that a product has, up to the longest text."""
    decoder, length = NativeDecoder(model), model.config.max_len
    tokens = torch.randint(V, (batch, length))
    cache = cache_for(decoder, batch, length + 3)
    pieces = [decoder(part, cache=cache) for part in tokens.split([4, 1, 1, 3, length - 9], dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(tokens), rtol=1e-4, atol=1e-5)
    assert cache.length == length


@torch.no_grad()
def test_it_leaves_in_the_cache_what_the_model_leaves(model):
    """So that either can go on where the other stopped; and nothing beyond what was read."""
    tokens = torch.randint(V, (2, 6))
    ours, theirs = (cache_for(model, 2, 8) for _ in range(2))
    for cache in (ours, theirs):
        cache.keys.fill_(7.0)
        cache.values.fill_(7.0)
    NativeDecoder(model).hidden(tokens, cache=ours)
    model.hidden(tokens, cache=theirs)
    torch.testing.assert_close(ours.keys, theirs.keys, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.values, theirs.values, rtol=1e-4, atol=1e-5)
    next_one = torch.randint(V, (2, 1))
    torch.testing.assert_close(
        model(next_one, cache=ours), model(next_one, cache=theirs), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("batch", [1, 3])
def test_it_writes_what_the_model_writes(model, batch, temperature):
    """Beyond the longest text too, where the window slides and no cache helps."""
    tokens = torch.randint(V, (batch, 6))
    n_new = model.config.max_len
    texts = [
        generate(m, tokens, n_new, temperature=temperature, generator=torch.manual_seed(1))
        for m in (NativeDecoder(model), model)
    ]
    assert torch.equal(*texts)


def test_its_beams_are_the_models(model):
    tokens = torch.randint(V, (2, 4))
    found, expected = (beam_search(m, tokens, 5, n_beams=3) for m in (NativeDecoder(model), model))
    assert torch.equal(found[0], expected[0])
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weights", ["float32", "bfloat16", "int8"])
def test_the_number_of_threads_changes_nothing(model, weights, threads):
    decoder, tokens = NativeDecoder(model, weights=weights), torch.randint(V, (2, 9))
    torch.set_num_threads(1)
    expected = decoder(tokens)
    for n_threads in (2, 3) * 30:  # who disturbs whom is a matter of chance
        torch.set_num_threads(n_threads)
        assert torch.equal(decoder(tokens), expected)


@torch.no_grad()
def test_weights_are_copied(model):
    """What becomes of the model's matrices, norms and biases does not reach the decoder."""
    tokens = torch.randint(V, (1, 5))
    decoder = NativeDecoder(model)
    before = decoder(tokens)
    for name, parameter in model.named_parameters():
        if "token_embed" not in name:
            parameter.zero_()
    assert torch.equal(decoder(tokens), before)


@torch.no_grad()
def test_a_row_of_zeros_stays_zero():
    model = Llama(llama.TINY)
    model.to_logits.weight[3] = 0.0
    for weights in ("float32", "bfloat16", "int8"):
        logits = NativeDecoder(model, weights=weights)(torch.randint(V, (2, 5)))
        assert logits.isfinite().all()
        assert not logits[..., 3].any()


def test_weights_lie_in_the_order_of_reading():
    weight = torch.arange(130.0)[:, None] + torch.tensor([0.0, 0.25, 0.5])  # row, and column / 4
    found = side_by_side(weight)
    assert found.shape == (3, 3, 64)
    assert found[1, 2].tolist() == [64.5 + i for i in range(64)]
    assert found[2, 1].tolist() == [128.25, 129.25] + [0.0] * 62


# What is refused


def test_other_models_and_formats():
    rnn = RNNLanguageModel(RNNConfig(vocab_size=9, n_layers=1, d_model=8, cell="lstm"))
    with pytest.raises(ValueError, match="only a GPT or a Llama can be made native, got RNNLang"):
        NativeDecoder(rnn)
    with pytest.raises(ValueError, match="'float32', 'bfloat16' or 'int8', got 'float16'"):
        NativeDecoder(GPT(gpt.TINY), weights="float16")
    with pytest.raises(ValueError, match=r"must be float32 on a cpu, got torch.bfloat16 on cpu"):
        NativeDecoder(GPT(gpt.TINY).bfloat16())
    with torch.device("meta"), pytest.raises(ValueError, match=r"got torch.float32 on meta"):
        NativeDecoder(GPT(gpt.TINY))
    broken = GPT(gpt.TINY)
    broken.blocks[1].ff.up.weight.data[2, 3:5] = torch.nan
    with pytest.raises(ValueError, match=r"blocks.1.ff.up.weight holds 2 values that are NaN"):
        NativeDecoder(broken)


@pytest.fixture
def decoder() -> NativeDecoder:
    return NativeDecoder(Llama(llama.TINY))


def test_masks_and_positions(decoder):
    tokens = torch.randint(V, (1, 3))
    for refused in ({"attn_mask": torch.ones(3, dtype=torch.bool)}, {"positions": torch.arange(3)}):
        with pytest.raises(ValueError, match="neither attn_mask nor positions: use PackedDecoder"):
            decoder(tokens, **refused)
    with pytest.raises(ValueError, match="use PackedDecoder"):
        generate_padded(decoder, [tokens[0], tokens[0, :2]], 3)


def test_tokens_that_cannot_be_read(decoder):
    """The cache is left as it was."""
    cache = cache_for(decoder, 1, 70)
    decoder(torch.zeros(1, 60, dtype=torch.long), cache=cache)
    for tokens, message in {
        ((0, V),): r"ids must be in 0\.\.64, got 0\.\.65",
        ((-1, 3),): r"ids must be in 0\.\.64, got -1\.\.3",
        ((0.5,),): "ids must be int64 or int32, got torch.float32",
        ((1, 2, 3, 4, 5),): "got 5 tokens after 60 in the cache, but max_len is 64",
        ((),): "at least one token",
        (1, 2): r"must have shape \(B, T\), got \(2,\)",
    }.items():
        with pytest.raises(ValueError, match=message):
            decoder(torch.tensor(tokens), cache=cache)
    assert cache.length == 60
    with pytest.raises(ValueError, match="got 65 tokens, but max_len is 64"):
        decoder(torch.zeros(1, 65, dtype=torch.long))


def test_int32_tokens_are_tokens(decoder):
    tokens = torch.randint(V, (2, 5))
    assert torch.equal(decoder(tokens.int()), decoder(tokens))


def test_caches_that_do_not_fit(decoder):
    one = torch.zeros(1, 1, dtype=torch.long)
    sizes = {"n_layers": 2, "n_kv_heads": 2, "d_head": 8}
    for change in ({"n_layers": 3}, {"n_kv_heads": 4}, {"d_head": 4}):
        with pytest.raises(ValueError, match=r"must be \(L, B, G, S, K\) = \(2, 1, 2, 9, 8\), got"):
            decoder(one, cache=KeyValueStore(1, 9, **sizes | change))
    with pytest.raises(ValueError, match=r"= \(2, 1, 2, 9, 8\), got \(2, 3, 2, 9, 8\)"):
        decoder(one, cache=KeyValueStore(3, 9, **sizes))
    with pytest.raises(ValueError, match=r"keys must be float32 on a cpu, got torch\.bfloat16"):
        decoder(one, cache=cache_for(decoder, 1, 9, dtype=torch.bfloat16))
    turned = KeyValueStore(1, 9, **sizes)
    turned.values = turned.values.mT.contiguous().mT
    with pytest.raises(ValueError, match="must be one piece of memory"):
        decoder(one, cache=turned)
    with pytest.raises(ValueError, match=r"keys must be float32 on a cpu, got torch.bfloat16"):
        decoder(one, cache=KeyValueStore(1, 9, **sizes, dtype=torch.bfloat16))
    full = KeyValueStore(1, 2, **sizes)
    decoder(one.repeat(1, 2), cache=full)
    with pytest.raises(ValueError, match="1 positions after 2 exceed the cache's 2"):
        decoder(one, cache=full)
    assert full.length == 2


def test_what_is_no_hidden_vector(decoder):
    with pytest.raises(ValueError, match=r"hidden must have shape \(\.\.\., 32\), got \(2, 31\)"):
        decoder.to_logits(torch.zeros(2, 31))
    with pytest.raises(ValueError, match=r"hidden must be float32 on a cpu, got torch.float64 on"):
        decoder.to_logits(torch.zeros(2, 32).double())


def test_an_embedding_that_was_converted_afterwards(decoder):
    decoder.bfloat16()
    with pytest.raises(
        ValueError, match=r"embeddings must be float32 on a cpu, got torch.bfloat16"
    ):
        decoder(torch.zeros(1, 1, dtype=torch.long))
