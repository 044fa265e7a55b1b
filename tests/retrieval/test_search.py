"""Tests of bigmodel_lib/retrieval/search.py."""

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from bigmodel_lib.configs.bert import BERTConfig
from bigmodel_lib.configs.gpt import TINY
from bigmodel_lib.data.text import Passage
from bigmodel_lib.models.bert import BERT
from bigmodel_lib.models.gpt import GPT
from bigmodel_lib.retrieval.search import Search, search_folder
from bigmodel_lib.weights.pretrained import to_pretrained

PASSAGES = [
    Passage("pets", "The cat sleeps on the sofa."),
    Passage("markets", "Share prices fell on Monday, as form X17-B shows."),
    Passage("kitchen", "Add salt to the boiling water."),
]


@pytest.fixture(scope="module")
def search(encoder):
    return Search(PASSAGES, encoder)


def test_meaning_finds_what_words_do_not(search):
    assert search("Where is my pet?", 1, how="meaning")[0].title == "pets"
    assert search("Where's my pet?", how="words") == []


def test_words_find_a_name(search):
    assert [hit.title for hit in search("x17", how="words")] == ["markets"]


def test_both_is_the_default_and_finds_either(search):
    assert search("Where is my pet?")[0].title == "pets"
    assert search("form X17-B")[0] == (pytest.approx(2 / 61), "markets", PASSAGES[1].text)


def test_best_first_and_no_more_than_there_are(search):
    hits = search("water for cooking", 99)
    assert len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert search("water for cooking", 2) == hits[:2]


def test_what_points_the_other_way_is_found_too(search):
    """A cosine below 0 is no reason to give fewer passages than were asked for."""
    hits = search("financial markets", 3, how="meaning")
    assert hits[0].title == "markets"
    assert hits[0].score > 0 > hits[1].score > hits[2].score


def test_equals_keep_the_order_of_the_passages(encoder):
    twins = Search([Passage(title, "one and the same text") for title in "bac"], encoder)
    assert [hit.title for hit in twins("the text", how="words")] == ["b", "a", "c"]


def test_bad_questions_are_told(search):
    with pytest.raises(ValueError, match="ask a question, and for at least 1 passage: '  ', 3"):
        search("  ")
    with pytest.raises(ValueError, match="at least 1 passage: 'cat', 0"):
        search("cat", 0)
    with pytest.raises(ValueError, match="'meaning', 'words' or 'both', got 'magic'"):
        search("cat", how="magic")


def test_a_folder_is_searched(tmp_path):
    for passage in PASSAGES:
        (tmp_path / f"{passage.title}.txt").write_text(passage.text, encoding="utf-8")
    hit = search_folder(tmp_path)("What did the stock exchange do?", 1, how="meaning")[0]
    assert (hit.title, hit.text) == ("markets.txt", PASSAGES[1].text)


def test_a_folder_is_cut_and_chosen_as_it_is_asked(tmp_path):
    (tmp_path / "a.md").write_text("One two three four.")
    (tmp_path / "b.txt").write_text("Five.")
    passages = search_folder(tmp_path, suffixes=[".md"], max_words=3).passages
    assert passages == [("a.md", "One two three"), ("a.md", "four.")]


def test_a_model_reads_with_its_own_tokenizer(tmp_path):
    """A network of four words; the ids of another vocabulary mean nothing to it."""
    config = BERTConfig(vocab_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16, max_len=256)
    to_pretrained(BERT(config), tmp_path / "bert")
    tokenizer = Tokenizer(WordLevel({"?": 0, "cat": 1, "dog": 2, "sat": 3}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "bert" / "tokenizer.json"))
    (tmp_path / "note.txt").write_text("cat sat")

    search = search_folder(tmp_path, suffixes=[".txt"], model=tmp_path / "bert")

    assert search("cat sat", how="meaning")[0].score == pytest.approx(1)
    assert search("dog sat", how="meaning")[0].score < 0.99


def test_a_model_of_another_kind_is_refused(tmp_path):
    torch.manual_seed(0)
    to_pretrained(GPT(TINY), tmp_path / "gpt")
    (tmp_path / "note.txt").write_text("a note")
    with pytest.raises(ValueError, match="a BERT that encodes sentences, got a GPT"):
        search_folder(tmp_path, model=tmp_path / "gpt")


def test_a_folder_without_text_is_told(tmp_path):
    with pytest.raises(ValueError, match="holds no file"):
        search_folder(tmp_path)
