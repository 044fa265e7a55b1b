"""Tests of bigmodel_lib/generation/cache.py."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bigmodel_lib.accounting.memory import cache_bytes
from bigmodel_lib.configs.gpt import GPTConfig
from bigmodel_lib.configs.llama import LlamaConfig
from bigmodel_lib.configs.rnn import RNNConfig
from bigmodel_lib.generation.cache import KeyValueStore, cache_for, next_logits
from bigmodel_lib.generation.recurrent import memory_for
from bigmodel_lib.generation.sampling import generate
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama
from bigmodel_lib.models.rnn import RNNLanguageModel

V = 61
GPT_SMALL = GPTConfig(vocab_size=V, max_len=32, n_layers=3, n_heads=2, d_model=16, d_ff=24)
LLAMA_SMALL = LlamaConfig(
    vocab_size=V, max_len=32, n_layers=3, n_heads=6, n_kv_heads=2, d_model=24, d_ff=20
)
MODELS = {
    "GPT": lambda: GPT(GPT_SMALL),
    "GPT, one head": lambda: GPT(replace(GPT_SMALL, n_heads=1, n_layers=1)),
    "Llama": lambda: Llama(LLAMA_SMALL),
    "Llama, one key-value head": lambda: Llama(replace(LLAMA_SMALL, n_kv_heads=1)),
}


def opinionated(model: nn.Module) -> nn.Module:
    """Larger random weights, and a head of its own: an untrained model repeats one token."""
    with torch.no_grad():
        model.to_logits.weight = nn.Parameter(torch.empty_like(model.to_logits.weight))
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=0.5)
    return model.eval()


@pytest.fixture(params=MODELS)
def model(request) -> nn.Module:
    return opinionated(MODELS[request.param]())


def without_cache(model: nn.Module, tokens: torch.Tensor, n_new: int) -> torch.Tensor:
    """The slow definition of greedy decoding: read everything again for every token."""
    with torch.no_grad():
        for _ in range(n_new):
            context = tokens[:, -model.config.max_len :]
            tokens = torch.cat([tokens, model(context)[:, -1:].argmax(-1)], dim=1)
    return tokens


@pytest.mark.parametrize("pieces", [[12], [1] * 12, [5, 1, 1, 5], [1, 11]], ids=str)
@pytest.mark.parametrize("batch", [1, 3])
def test_logits_of_a_text_read_in_pieces(model, batch, pieces):
    tokens = torch.randint(V, (batch, 12))
    cache = cache_for(model, batch, 12)
    read = [model(piece, cache=cache) for piece in tokens.split(pieces, dim=1)]
    torch.testing.assert_close(torch.cat(read, dim=1), model(tokens), atol=1e-4, rtol=1e-4)
    assert cache.length == 12


@pytest.mark.parametrize(("batch", "n_prompt", "n_new"), [(1, 1, 32), (3, 7, 20), (2, 31, 1)])
def test_cached_generation_is_uncached_generation(model, batch, n_prompt, n_new):
    """Token for token, up to the longest text the model can read."""
    tokens = torch.randint(V, (batch, n_prompt))
    expected = without_cache(model, tokens, n_new)
    assert len(expected[0].unique()) > min(n_new // 4, 4)  # or else equality would say little
    assert torch.equal(generate(model, tokens, n_new, temperature=0.0), expected)


@pytest.mark.parametrize(("n_prompt", "n_new"), [(5, 40), (32, 3), (40, 5)])
def test_generation_goes_on_when_the_window_slides(model, n_prompt, n_new):
    tokens = torch.randint(V, (2, n_prompt))
    expected = without_cache(model, tokens, n_new)
    assert torch.equal(generate(model, tokens, n_new, temperature=0.0), expected)


def test_every_position_is_read_once(model):
    """The work that the cache saves: seven tokens of prompt, then one at a time."""
    lengths = []
    model.token_embed.register_forward_hook(lambda _, args, __: lengths.append(args[0].shape[1]))
    generate(model, torch.randint(V, (2, 7)), 5, temperature=0.0)
    assert lengths == [7, 1, 1, 1, 1]


def test_only_one_row_of_logits_is_computed(model):
    rows = []
    model.to_logits.register_forward_hook(lambda _, args, __: rows.append(args[0].shape[:-1]))
    generate(model, torch.randint(V, (2, 7)), 2, temperature=0.0)
    assert rows == [(2,), (2,)]


def test_reordered_cache_goes_on_from_other_texts(model):
    tokens = torch.randint(V, (3, 6))
    cache = cache_for(model, 3, 8)
    next_logits(model, tokens, cache)
    rows = torch.tensor([2, 0, 0])
    cache.reorder(rows)
    longer = torch.cat([tokens[rows], torch.randint(V, (3, 1))], dim=1)
    expected = model(longer)[:, -1]
    torch.testing.assert_close(next_logits(model, longer, cache), expected, atol=1e-4, rtol=1e-4)


def test_cleared_cache_starts_afresh(model):
    tokens = torch.randint(V, (2, 4))
    cache = cache_for(model, 2, 4)
    first = next_logits(model, tokens, cache)
    cache.clear()
    assert cache.length == 0
    assert torch.equal(next_logits(model, tokens, cache), first)


def test_memory_is_taken_once_and_as_predicted():
    model = Llama(LLAMA_SMALL).to(torch.bfloat16)
    cache = cache_for(model, 3, 10)
    address = cache.keys.data_ptr()
    generate(model, torch.randint(V, (3, 4)), 2)
    for _ in range(10):
        model.hidden(torch.randint(V, (3, 1)), cache=cache)
    assert cache.keys.data_ptr() == address
    assert cache.keys.dtype == torch.bfloat16
    sizes = {"n_layers": 3, "n_kv_heads": 2, "d_head": 4, "batch": 3, "dtype": torch.bfloat16}
    assert cache.nbytes == cache_bytes(10, **sizes)


def test_a_recurrent_model_has_no_cache():
    assert cache_for(RNNLanguageModel(RNNConfig(vocab_size=5, d_model=4)), 1, 8) is None


@pytest.mark.parametrize("batch", [1, 3])
def test_a_cache_of_fewer_bits_answers_nearly_the_same(model, batch):
    """Float16 keeps three bits more than bfloat16; in float64 nothing is rounded at all."""
    tokens, exact = torch.randint(V, (batch, 12)), None
    error, taken = {}, {}
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        cache = cache_for(model, batch, 12, dtype=dtype)
        with torch.no_grad():
            read = [model(piece, cache=cache) for piece in tokens.split([5, 1, 6], dim=1)]
            logits, exact = torch.cat(read, dim=1), model(tokens)
        assert logits.dtype == torch.float32
        assert cache.keys.dtype == cache.values.dtype == dtype
        error[dtype] = ((logits - exact).abs().mean() / exact.abs().mean()).item()
        taken[dtype] = cache.nbytes
    assert error[torch.float64] < 1e-5
    assert 1e-5 < error[torch.float16] < error[torch.bfloat16] / 3 < 0.1
    assert taken[torch.float64] == 4 * taken[torch.float16] == 4 * taken[torch.bfloat16]


def test_generation_keeps_its_cache_in_the_dtype_asked_for(model):
    """Keys of a million do not fit into float16, where they become infinite."""
    tokens = torch.randint(V, (2, 5))
    with torch.no_grad():
        model.blocks[0].attn.to_qkv.weight.mul_(1e6)
    generate(model, tokens, 3)
    generate(model, tokens, 3, cache_dtype=torch.bfloat16)
    with pytest.raises(ValueError, match=r"logits hold \d+ NaN"):
        generate(model, tokens, 3, cache_dtype=torch.float16)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn, torch.complex64], ids=str)
def test_only_numbers_that_attention_can_read_are_kept(model, dtype):
    with pytest.raises(ValueError, match=f"dtype must be one of .*, got {dtype}"):
        cache_for(model, 1, 8, dtype=dtype)


def test_no_cache_has_no_dtype():
    model = RNNLanguageModel(RNNConfig(vocab_size=5, d_model=4))
    for ask in (cache_for, memory_for):
        name = "dtype" if ask is cache_for else "cache_dtype"
        with pytest.raises(ValueError, match="RNNLanguageModel keeps no keys and values"):
            ask(model, 1, 8, **{name: torch.bfloat16})


def test_room_for_several_positions_is_made_in_all_layers():
    cache = KeyValueStore(1, 5, n_layers=2, n_kv_heads=1, d_head=1)
    assert cache.make_room(2) == 0
    assert cache.make_room(3) == 2
    assert cache.length == 5
    with pytest.raises(ValueError, match="2 positions after 5 exceed the cache's 5"):
        cache.make_room(2)
    cache.clear()
    for layer in range(2):
        assert cache.update(layer, *torch.zeros(2, 1, 1, 4, 1))[0].shape[2] == 4


def test_a_cache_grows_in_all_layers_at_once():
    """The room is the last of the positions given out, and nothing but the room is changed."""
    cache = KeyValueStore(2, 3, n_layers=2, n_kv_heads=3, d_head=5)
    before = torch.randn(2, 2, 3, 2, 5)
    for layer in range(2):
        cache.update(layer, before[layer], -before[layer])
    for layer, (k_room, v_room, k, v) in enumerate(cache.grow()):
        k_room.fill_(layer + 1)
        v_room.fill_(layer + 3)
        for tensor, old, new in ((k, before[layer], layer + 1), (v, -before[layer], layer + 3)):
            assert torch.equal(tensor, torch.cat([old, torch.full((2, 3, 1, 5), new)], dim=2))
    assert cache.length == 3
    with pytest.raises(ValueError, match="1 positions after 3 exceed the cache's 3"):
        cache.grow()
    assert cache.length == 3


def test_what_does_not_fit_is_refused():
    cache = KeyValueStore(2, 4, n_layers=1, n_kv_heads=3, d_head=5)
    new = torch.zeros(2, 3, 3, 5)
    cache.update(0, new, new)
    with pytest.raises(ValueError, match="3 positions after 3 exceed the cache's 4"):
        cache.update(0, new, new)
    with pytest.raises(ValueError, match=r"expects .* = \(2, 3, 1, 5\), got \(1, 3, 1, 5\)"):
        cache.update(0, new[:1, :, :1], new[:1, :, :1])
    with pytest.raises(ValueError, match=r"at least one of everything, got .* \(1, 0, 3, 4, 5\)"):
        KeyValueStore(0, 4, n_layers=1, n_kv_heads=3, d_head=5)
