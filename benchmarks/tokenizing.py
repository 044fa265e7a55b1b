"""Byte-pair encoding of half a megabyte of English: learning 4,096 pieces, and encoding.

`tokenizers` is compiled Rust; it is held to one thread. Ours is pure Python.
"""

import os

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from benchmarks.race import Candidate, Row, race, rows
from bigmodel_lib.data.bpe import train_bpe
from bigmodel_lib.data.text import load_text
from bigmodel_lib.data.tokenizers import BytePairTokenizer

V = 4_096


def measure(turns: int) -> list[Row]:
    """Learning and encoding; both must end in the same tokens."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["RAYON_NUM_THREADS"] = "1"
    text = load_text()
    megabytes = len(text.encode()) / 1e6
    ours, theirs = train_bpe(text, V), _train_theirs(text)
    assert ours.encode(text) == theirs.encode(text).ids, "the two disagree about the tokens"

    learning = [
        Candidate("tokenizers", lambda: _train_theirs(text), is_peer=True),
        Candidate("ours", lambda: train_bpe(text, V)),
    ]
    encoding = [
        Candidate("tokenizers", lambda: theirs.encode(text), is_peer=True),
        Candidate("ours, words remembered", lambda: ours.encode(text)),
        Candidate("ours, from nothing", lambda: _forgetful(ours).encode(text)),
    ]
    how_fast = "MB/s"
    learned, encoded = race(learning, turns), race(encoding, turns)
    targets = {"ours": 0.25, "ours, words remembered": 1.3, "ours, from nothing": 1.3}
    return [
        *rows("BPE: learn", learning, learned, megabytes, how_fast, targets=targets),
        *rows("BPE: encode", encoding, encoded, megabytes, how_fast, targets=targets),
    ]


def _train_theirs(text: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=V,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def _forgetful(tokenizer: BytePairTokenizer) -> BytePairTokenizer:
    tokenizer._cached.clear()
    return tokenizer
