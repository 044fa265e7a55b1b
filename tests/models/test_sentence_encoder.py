"""Tests of bigmodel_lib/models/sentence_encoder.py."""

import pytest
import torch
from torch.nn import functional as F
from transformers import AutoTokenizer, BertModel

from bigmodel_lib.models.sentence_encoder import SentenceEncoder, mean_pool
from bigmodel_lib.weights.pretrained import from_pretrained, load_tokenizer
from bigmodel_lib.weights.sources import find_folder

MINILM = "all-MiniLM-L6-v2"
SENTENCES = [
    "A cat is sleeping on the sofa.",
    "The compiler reports an error when a name is not defined, and stops.",
    "",
    "Ein Kätzchen schläft. 猫在睡觉。",
    "A kitten naps on the couch.",
]


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder(from_pretrained(MINILM), load_tokenizer(MINILM), batch_size=2)


def test_matches_transformers_on_real_sentences(encoder):
    """Its tokenizer, its BERT, mean of the real tokens, unit length: to 1e-5, padding included."""
    folder = find_folder(MINILM)
    theirs = BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    batch = AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = theirs(**batch).last_hidden_state
    real = batch["attention_mask"][..., None]
    expected = F.normalize((hidden * real).sum(1) / real.sum(1), dim=-1)

    vectors = encoder(SENTENCES)
    assert (vectors - expected).abs().max() < 1e-5


def test_every_vector_has_length_one(encoder):
    torch.testing.assert_close(encoder(SENTENCES).norm(dim=-1), torch.ones(len(SENTENCES)))


def test_like_meanings_are_near(encoder):
    """The two cats are nearer to each other than to the compiler."""
    vectors = encoder([SENTENCES[0], SENTENCES[4], SENTENCES[1]])
    same, other_a, other_b = (
        vectors[0] @ vectors[1],
        vectors[0] @ vectors[2],
        vectors[1] @ vectors[2],
    )
    assert same > 0.5 > max(other_a, other_b) + 0.2


def test_neighbours_in_a_batch_do_not_matter(encoder):
    alone = torch.cat([encoder([sentence]) for sentence in SENTENCES])
    torch.testing.assert_close(encoder(SENTENCES), alone, rtol=1e-4, atol=1e-6)


def test_too_long_a_text_keeps_its_beginning_and_the_end_mark(encoder):
    short = SentenceEncoder(encoder.bert, encoder.tokenizer, max_tokens=5)
    torch.testing.assert_close(short(["one two three four five"]), short(["one two three"]))
    assert not torch.allclose(short(["one two three"]), short(["one two"]))


def test_padding_of_the_tokenizer_is_left_out(encoder):
    padded = load_tokenizer(MINILM)
    padded.enable_padding(length=64)
    other = SentenceEncoder(encoder.bert, padded)
    torch.testing.assert_close(other(SENTENCES[:1]), encoder(SENTENCES[:1]))


def test_mean_of_a_hand_worked_example():
    """Tokens (1, 2) and (3, 6), then padding: (2, 4)."""
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [99.0, 99.0]]])
    assert mean_pool(hidden, torch.tensor([2])).tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize("sentences", [[], "one string"], ids=["none", "no list"])
def test_refuses_what_is_no_list_of_texts(encoder, sentences):
    with pytest.raises(ValueError, match="sentences must be a list of at least one text, got"):
        encoder(sentences)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 513}, r"max_tokens must be from 2 to .* max_len \(512\), got 513"),
        ({"max_tokens": 1}, r"max_tokens must be from 2 to .* max_len \(512\), got 1"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ],
)
def test_impossible_options_are_refused(encoder, options, message):
    with pytest.raises(ValueError, match=message):
        SentenceEncoder(encoder.bert, encoder.tokenizer, **options)
