"""Tests of bigmodel_lib/generation/one_token.py: held to the path that reads anything."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bigmodel_lib.configs import gpt, llama
from bigmodel_lib.generation import packed
from bigmodel_lib.generation.cache import KeyValueStore, cache_for
from bigmodel_lib.generation.packed import PackedDecoder
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.models.llama import Llama

MODELS = {
    "GPT": lambda: GPT(gpt.TINY),
    "Llama": lambda: Llama(llama.TINY),
    "one key-value head": lambda: Llama(replace(llama.TINY, n_kv_heads=1)),
    "a key-value head each": lambda: Llama(replace(llama.TINY, n_kv_heads=llama.TINY.n_heads)),
}


@pytest.fixture(params=MODELS)
def decoder(request) -> PackedDecoder:
    model = MODELS[request.param]()
    for parameter in model.parameters():
        nn.init.normal_(parameter, mean=0.05, std=0.3)
    return PackedDecoder(model)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("n_before", [0, 5])
@pytest.mark.parametrize(("dtype", "atol"), [(None, 1e-5), (torch.bfloat16, 0.02)])
def test_one_token_is_read_as_any_number_is(decoder, batch, n_before, dtype, atol, monkeypatch):
    """The same vectors, and the same left in the cache, as on the path that knows masks."""
    calls = []

    def counted(*args, **kwargs):
        calls.append(args)
        return read_one(*args, **kwargs)

    read_one = packed.read_one
    monkeypatch.setattr(packed, "read_one", counted)
    tokens = torch.randint(65, (batch, n_before + 3))
    fast, general = (cache_for(decoder, batch, n_before + 3, dtype=dtype) for _ in range(2))
    if n_before:
        for cache in (fast, general):
            decoder.hidden(tokens[:, :n_before], cache=cache)
    for n in range(n_before, n_before + 3):
        one = tokens[:, n : n + 1]
        everything = torch.ones(1, 1, 1, n + 1, dtype=torch.bool)
        found = decoder.hidden(one, cache=fast)
        expected = decoder.hidden(one, everything, cache=general)
        assert found.shape == (batch, 1, decoder.config.d_model)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=atol)
    assert len(calls) == 3  # the one path was taken for the one, and not for the other
    assert fast.length == general.length == n_before + 3
    torch.testing.assert_close(fast.keys, general.keys, rtol=1e-5, atol=atol)
    torch.testing.assert_close(fast.values, general.values, rtol=1e-5, atol=atol)


def test_what_does_not_fit_is_refused(decoder):
    """A cache that is full, is for another batch, or, silently wider, for a batch of one."""
    one = torch.zeros(1, 1, dtype=torch.long)
    full = cache_for(decoder, 1, 1)
    decoder.hidden(one, cache=full)
    with pytest.raises(ValueError, match="1 positions after 1 exceed the cache's 1"):
        decoder.hidden(one, cache=full)
    with pytest.raises(ValueError, match=r"expects \(B, G, T, K\) = \(3, "):
        decoder.hidden(one, cache=cache_for(decoder, 3, 4))
    c = decoder.config
    sizes = {"n_layers": c.n_layers + 1, "n_kv_heads": decoder.n_kv_heads, "d_head": c.d_head}
    deeper = KeyValueStore(1, 4, **sizes)
    decoder.hidden(one, cache=deeper)  # as before: a layer too many is never asked
    assert deeper.length == 0


def test_tokens_and_length_are_checked(decoder):
    cache = cache_for(decoder, 1, decoder.config.max_len + 1)
    with pytest.raises(ValueError, match=r"ids must be in 0\.\.64, got 65\.\.65"):
        decoder.hidden(torch.tensor([[65]]), cache=cache)
    for _ in range(decoder.config.max_len):
        decoder.hidden(torch.zeros(1, 1, dtype=torch.long), cache=cache)
    with pytest.raises(ValueError, match="got 1 tokens after 64 in the cache, but max_len is 64"):
        decoder.hidden(torch.zeros(1, 1, dtype=torch.long), cache=cache)
