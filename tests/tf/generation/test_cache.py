"""The TensorFlow twin of bigmodel_lib/generation/cache.py agrees with it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bigmodel_lib.configs.gpt import GPTConfig
from bigmodel_lib.configs.llama import LlamaConfig
from bigmodel_lib.configs.mlp import MLPConfig
from bigmodel_lib.configs.rnn import RNNConfig
from bigmodel_lib.tf.generation.cache import KeyValueStore, cache_for, next_logits
from bigmodel_lib.tf.generation.recurrent import memory_for
from bigmodel_lib.tf.generation.sampling import generate
from bigmodel_lib.tf.models.gpt import GPT
from bigmodel_lib.tf.models.llama import Llama
from bigmodel_lib.tf.models.mlp import MLP
from bigmodel_lib.tf.models.rnn import RNNLanguageModel

SCRIPT = "generation/cache_in_torch.py"
V = 61
GPT_SMALL = GPTConfig(vocab_size=V, max_len=32, n_layers=3, n_heads=2, d_model=16, d_ff=24)
LLAMA_SMALL = LlamaConfig(
    vocab_size=V, max_len=32, n_layers=3, n_heads=6, n_kv_heads=2, d_model=24, d_ff=20
)


def build(name: str) -> keras.Model:
    return GPT(GPT_SMALL) if name == "GPT" else Llama(LLAMA_SMALL)


def texts(batch: int, n_tokens: int) -> np.ndarray:
    return np.random.default_rng(0).integers(V, size=(batch, n_tokens))


@pytest.mark.parametrize("name", ["GPT", "Llama"])
def test_same_scores_token_by_token_as_the_pytorch_twin(parity, name):
    """A prompt of seven, then one at a time up to the longest text, each graph made once."""
    case, model = parity(SCRIPT, name), build(name)
    case.fill(model)
    tokens, cache = case.inputs[0], cache_for(model, 3, 32)
    scores = [next_logits(model, tokens[:, :n], cache) for n in (7, *range(8, 33))]

    case.close(model, "cached decode", tf.stack(scores), case.extra["scores"])
    case.close(model, "cached decode", cache.keys, case.extra["keys"])
    case.close(model, "cached decode", cache.values, case.extra["values"])
    assert cache.length == 32


def test_reordered_as_by_the_pytorch_twin(parity):
    case = parity(SCRIPT, "reordered")
    cache = KeyValueStore(3, 5, n_layers=2, n_kv_heads=2, d_head=4)
    for layer_index in range(2):
        cache.update(layer_index, case.extra["k"] + layer_index, case.extra["v"])
    cache.reorder(case.extra["rows"])
    for key in ("keys", "values"):
        found = tf.stack(getattr(cache, key))[:, :, :, :4]
        name = "generation.cache.KeyValueStore"
        case.close(name, "cached decode", found, case.extra[key])


@pytest.mark.parametrize("pieces", [[1, 1, 1, 1], [5, 1, 1, 5]], ids=str)
@pytest.mark.parametrize("name", ["GPT", "Llama"])
def test_scores_of_a_text_read_in_pieces(name, pieces):
    model, tokens = build(name), texts(2, 12)
    cache = cache_for(model, 2, 12)
    for end in np.cumsum(pieces):
        found = next_logits(model, tokens[:, :end], cache)
        np.testing.assert_allclose(found, model(tokens[:, :end])[:, -1], rtol=1e-4, atol=1e-5)
    assert cache.length == sum(pieces)


def test_without_a_cache_everything_is_read():
    model, tokens = build("GPT"), texts(2, 5)
    np.testing.assert_array_equal(next_logits(model, tokens), model(tokens)[:, -1])


def test_a_graph_is_traced_once_for_all_lengths_and_caches():
    """Or else every call of `generate` would start with seconds of tracing."""
    model, traced = build("GPT"), []
    hidden = model.hidden
    object.__setattr__(model, "hidden", lambda *a, **k: traced.append(1) or hidden(*a, **k))
    for batch, max_len, n_prompt in ((1, 9, 3), (1, 20, 5), (2, 9, 4), (3, 13, 8), (2, 30, 25)):
        tokens, cache = texts(batch, max_len), cache_for(model, batch, max_len)
        for n in range(n_prompt, max_len):
            next_logits(model, tokens[:, :n], cache)
    assert len(traced) == 3  # a prompt, a token of one text, a token of each of many
    object.__delattr__(model, "hidden")


def test_a_caller_may_compile_it_too():
    model, tokens = build("Llama"), texts(2, 6)
    cache = cache_for(model, 2, 8)

    @tf.function
    def read(tokens):
        return next_logits(model, tokens, cache)

    np.testing.assert_allclose(read(tokens), model(tokens)[:, -1], rtol=1e-4, atol=1e-5)
    assert cache.length == 6


def test_reordered_cache_goes_on_from_other_texts():
    model, tokens, rows = build("GPT"), texts(3, 6), [2, 0, 0]
    cache = cache_for(model, 3, 8)
    next_logits(model, tokens, cache)
    cache.reorder(tf.constant(rows))
    longer = np.concatenate([tokens[rows], texts(3, 1)], axis=1)
    expected = model(longer)[:, -1]
    np.testing.assert_allclose(next_logits(model, longer, cache), expected, rtol=1e-4, atol=1e-5)


def test_cleared_cache_starts_afresh():
    model, tokens = build("GPT"), texts(2, 4)
    cache = cache_for(model, 2, 4)
    first = next_logits(model, tokens, cache)
    cache.clear()
    assert cache.length == 0
    np.testing.assert_array_equal(next_logits(model, tokens, cache), first)


def test_memory_is_as_predicted():
    """Keys and values: 2 · 3 layers · 3 texts · 2 heads · 10 positions · 4 numbers."""
    cache = cache_for(build("Llama"), 3, 10)
    assert cache.nbytes == 2 * 3 * 3 * 2 * 10 * 4 * 4
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build("Llama")
    finally:
        keras.config.set_dtype_policy("float32")
    cache = cache_for(model, 3, 10)
    assert cache.nbytes == 2 * 3 * 3 * 2 * 10 * 4 * 2
    assert next_logits(model, texts(3, 4), cache).dtype == tf.float32


def test_a_model_that_takes_no_cache_has_none():
    assert cache_for(MLP(MLPConfig(widths=(3, 2))), 1, 8) is None


@pytest.mark.parametrize("name", ["GPT", "Llama"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_cache_of_fewer_bits_is_that_of_rounded_keys_and_values(name, dtype):
    """By reading a text whose cache was rounded by hand: only the last token is new."""
    model, tokens = build(name), texts(2, 12)
    rounded, exact = (cache_for(model, 2, 12, dtype=d) for d in (dtype, None))
    next_logits(model, tokens[:, :5], rounded)
    for lean, full in zip(
        (*rounded.keys, *rounded.values), (*exact.keys, *exact.values), strict=True
    ):
        assert lean.dtype == dtype
        full.assign(tf.cast(lean, full.dtype))
    exact._used.assign(rounded._used)
    assert 2 * rounded.nbytes == exact.nbytes
    scores = [next_logits(model, tokens[:, :6], cache) for cache in (rounded, exact)]
    difference = float(tf.reduce_max(tf.abs(scores[0] - scores[1])))
    assert scores[0].dtype == tf.float32
    assert 0 < difference < 2e-2  # the sixth token's own keys and values are rounded in one


def test_generation_keeps_its_cache_in_the_dtype_asked_for():
    """Keys of a million do not fit into float16, where they become infinite."""
    model, tokens = build("GPT"), texts(2, 5)
    model(tokens)
    kernel = model.blocks[0].attn.to_qkv.weight
    kernel.assign(kernel * 1e9)
    generate(model, tokens, 3)
    generate(model, tokens, 3, cache_dtype="bfloat16")
    with pytest.raises(ValueError, match=r"logits hold \d+ NaN"):
        generate(model, tokens, 3, cache_dtype="float16")


def test_what_does_not_suit_is_refused():
    with pytest.raises(ValueError, match=r"dtype must be one of .*, got int8"):
        cache_for(build("GPT"), 1, 8, dtype="int8")
    with pytest.raises(ValueError, match="MLP keeps no keys and values"):
        cache_for(MLP(MLPConfig(widths=(3, 2))), 1, 8, dtype="bfloat16")
    with pytest.raises(ValueError, match="RNNLanguageModel keeps no keys and values"):
        memory_for(
            RNNLanguageModel(RNNConfig(vocab_size=5, d_model=4)), 1, 8, cache_dtype="float16"
        )


def test_what_does_not_fit_is_refused():
    cache = KeyValueStore(2, 4, n_layers=1, n_kv_heads=3, d_head=5)
    new = tf.zeros((2, 3, 3, 5))
    cache.update(0, new, new)
    with pytest.raises(ValueError, match="3 positions after 3 exceed the cache's 4"):
        cache.update(0, new, new)
    with pytest.raises(ValueError, match=r"expects .* = \(2, 3, 1, 5\), got \(1, 3, 1, 5\)"):
        cache.update(0, new[:1, :, :1], new[:1, :, :1])
    with pytest.raises(ValueError, match=r"at least one of everything, got .* \(1, 0, 3, 4, 5\)"):
        KeyValueStore(0, 4, n_layers=1, n_kv_heads=3, d_head=5)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (texts(1, 9), "9 positions after 0 exceed the cache's 8"),
        (texts(1, 33), "got 33 tokens, but max_len is 32"),
        (np.full((1, 3), V), r"token ids must be in 0\.\.60, got 61\.\.61"),
        (np.full((1, 1), -1), r"token ids must be in 0\.\.60, got -1\.\.-1"),
        (np.zeros((1, 3)), "token ids must be int64 or int32, got float"),
        (np.zeros((1, 0), int), "tokens must hold at least one token"),
    ],
    ids=["cache too small", "too long", "unknown id", "negative id", "not ids", "no token"],
)
def test_a_graph_says_in_words_what_it_cannot_read(tokens, message):
    model = build("GPT")
    with pytest.raises(ValueError, match=message):
        next_logits(model, tokens, cache_for(model, 1, 8))
