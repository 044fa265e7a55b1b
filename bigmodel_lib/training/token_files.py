"""The text of a run as tokens on disk, with the tokenizer that made them.

    tokenizer.json      byte-pair encoding, learned from the training text
    tokens.safetensors  what to learn from, what is held out, and the bytes of the latter

The work is done once: a run that goes on needs neither the text nor the time, and sees the tokens
that it saw before, whatever has happened to the text.

Chapter: chapters/04_code/06_pretraining_a_gpt.ipynb

Shapes: N tokens.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from bigmodel_lib.configs.pretraining import TextConfig
from bigmodel_lib.data.bpe import train_bpe
from bigmodel_lib.data.documents import load_documents
from bigmodel_lib.data.tokenizers import BytePairTokenizer
from bigmodel_lib.weights.files import read_tensors, write_tensors

TOKENIZER, TOKENS = "tokenizer.json", "tokens.safetensors"
END = "<|endoftext|>"  # stands before every document, and so between two
_MOST_CHARACTERS = 20_000_000  # what the tokenizer reads; more would hardly change its merges


class TokenizedText(NamedTuple):
    """A text in tokens, in two parts, (N,) and (N,), 32 bits each.

    Of the held-out part it is known how many bytes of UTF-8 a token stands for, on average: losses
    per token of two tokenizers cannot be compared, losses per byte can.
    """

    tokenizer: BytePairTokenizer
    train: Tensor
    valid: Tensor
    bytes_per_token: float


def write_tokens(folder: Path, text: TextConfig, *, vocab_size: int, min_tokens: int) -> None:
    """Learn a tokenizer, and write it and the tokens; a folder that has them stays as it is.

    Args:
        folder: Must exist.
        text: What to read.
        vocab_size: Number of ids to reach, V.
        min_tokens: What each of the two parts must have.

    Raises:
        ValueError: If the text cannot be read, or a part of it is shorter than that.
    """
    if (folder / TOKENS).exists():
        return
    parts = load_documents(text.source, valid_share=text.valid_share)
    tokenizer = train_bpe("\n".join(parts[0])[:_MOST_CHARACTERS], vocab_size, special_tokens=[END])
    end = tokenizer.special_ids[END]
    tensors = {}
    for name, documents in zip(("train", "valid"), parts, strict=True):
        rows = [torch.tensor([end, *tokenizer.encode(document)]) for document in documents]
        tensors[name] = torch.cat(rows).int()
        if len(tensors[name]) < min_tokens:
            words = {"train": "to learn from", "valid": "held out"}[name]
            raise ValueError(
                f"{text.source!r} gives {len(tensors[name])} tokens {words}, "
                f"and at least {min_tokens} are needed: max_len, and one to predict"
            )
    tensors["valid_bytes"] = torch.tensor(sum(len(text.encode()) for text in parts[1]))
    tokenizer.save(folder / TOKENIZER)
    write_tensors(tensors, folder / TOKENS)  # last, and at once: where it is, all is


def read_tokens(folder: Path) -> TokenizedText:
    """Read what `write_tokens` wrote.

    Raises:
        FileNotFoundError: If it was not there.
    """
    tensors = read_tensors(folder / TOKENS)
    train, valid = tensors["train"], tensors["valid"]
    bytes_per_token = int(tensors["valid_bytes"]) / len(valid)
    return TokenizedText(BytePairTokenizer.load(folder / TOKENIZER), train, valid, bytes_per_token)
