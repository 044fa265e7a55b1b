"""Text to numbers and back: characters, and byte-level byte-pair encoding.

Papers: Sennrich, Haddow & Birch (2016), Neural Machine Translation of Rare Words with Subword
        Units, ACL, section 3.2, arXiv:1508.07909; on bytes, Radford et al. (2019), Language
        Models are Unsupervised Multitask Learners, section 2.2.

Ids, merges and tokens are those of the `tokenizers` package with its `ByteLevel` pre-tokenizer.
"""

import json
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise
from pathlib import Path

from bigmodel_lib.data.words import split_words

Pair = tuple[int, int]

# The 256 bytes in the order of their ids: first those that print in Latin-1, then the others.
_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
BYTES = bytes(_PRINTABLE + sorted(set(range(256)) - set(_PRINTABLE)))
_LETTERS = dict(zip(BYTES, [*map(chr, _PRINTABLE), *map(chr, range(0x100, 0x144))], strict=True))
_MAX_CACHED_WORDS = 100_000


class CharacterTokenizer:
    """One id per character of a text, in the order of Unicode.

    Args:
        text: Any text that holds every character that will be needed.
    """

    def __init__(self, text: str) -> None:
        self.characters = "".join(sorted(set(text)))
        self._ids = {character: i for i, character in enumerate(self.characters)}

    def __len__(self) -> int:
        """Number of ids, V."""
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Turn characters into ids; one that the vocabulary lacks is a `ValueError`."""
        try:
            return [self._ids[character] for character in text]
        except KeyError as error:
            raise ValueError(f"the vocabulary has no {error} (in {len(self)} characters)") from None

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids back into text."""
        return "".join(self.characters[i] for i in _check_ids(ids, len(self)))


class BytePairTokenizer:
    """Pieces of words, built by merging the bytes of UTF-8, so that no text is unknown.

    Args:
        merges: Pairs of pieces to join, the first to be tried first.
        special_tokens: Names such as "<|endoftext|>" that get the first ids. `encode` never
            gives one: whoever builds the sequence adds `special_ids[name]`.

    Raises:
        ValueError: If a merge joins pieces that no earlier one has made.
    """

    def __init__(
        self, merges: Iterable[tuple[bytes, bytes]], special_tokens: Sequence[str] = ()
    ) -> None:
        self.special_ids = {name: i for i, name in enumerate(special_tokens)}
        self.pieces = [name.encode() for name in special_tokens] + [bytes([b]) for b in BYTES]
        self.merges = list(merges)
        self._byte_ids = {byte: len(special_tokens) + i for i, byte in enumerate(BYTES)}
        self._ranks: dict[Pair, int] = {}
        self._joined: dict[Pair, int] = {}
        ids = {self.pieces[i]: i for i in self._byte_ids.values()}
        for left, right in self.merges:
            if left not in ids or right not in ids:
                raise ValueError(f"cannot merge {left} and {right}: one was never made")
            if left + right not in ids:
                ids[left + right] = len(self.pieces)
                self.pieces.append(left + right)
            pair = ids[left], ids[right]
            self._ranks.setdefault(pair, len(self._ranks))
            self._joined[pair] = ids[left + right]
        self._cached: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """Number of ids, V."""
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Turn text into ids. A word is merged once and remembered."""
        words, cached = split_words(text), self._cached
        if len(cached) > _MAX_CACHED_WORDS:
            cached.clear()
        for word in set(words).difference(cached):
            cached[word] = self._merge([self._byte_ids[byte] for byte in word.encode()])
        return list(chain.from_iterable(map(cached.__getitem__, words)))

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids back into text; bytes that are not UTF-8, as of half a letter, become �."""
        pieces = b"".join(self.pieces[i] for i in _check_ids(ids, len(self)))
        return pieces.decode(errors="replace")

    def save(self, path: str | Path) -> None:
        """Write a `tokenizer.json` that `tokenizers.Tokenizer.from_file` reads too."""
        names = {i: name for name, i in self.special_ids.items()}
        vocab = {names.get(i) or _spell(piece): i for i, piece in enumerate(self.pieces)}
        merges = [[_spell(left), _spell(right)] for left, right in self.merges]
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
        flags = dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized"], False)
        added = [{"id": i, "content": name, "special": True} | flags for i, name in names.items()]
        Path(path).write_text(
            json.dumps(
                {
                    "version": "1.0",
                    "added_tokens": added,
                    "pre_tokenizer": byte_level | {"use_regex": True},
                    "decoder": byte_level | {"use_regex": True},
                    "model": {"type": "BPE", "vocab": vocab, "merges": merges},
                },
                ensure_ascii=False,
            ),
            encoding="utf-8",
        )

    @classmethod
    def load(cls, path: str | Path) -> "BytePairTokenizer":
        """Read a file that `save` wrote."""
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        special_tokens = [token["content"] for token in saved["added_tokens"]]
        merges = [(_bytes(left), _bytes(right)) for left, right in saved["model"]["merges"]]
        return cls(merges, special_tokens)

    def _merge(self, ids: list[int]) -> list[int]:
        """Join pairs, the one of lowest rank first and from left to right, until none is left."""
        ranks, n = self._ranks, len(ids)
        before, after = list(range(-1, n - 1)), list(range(1, n + 1))
        queue = [(ranks[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in ranks]
        heapify(queue)
        while queue:
            rank, i = heappop(queue)
            j = after[i]
            if j == n or ranks.get((ids[i], ids[j])) != rank:
                continue  # one of the two has been joined to something else since
            ids[i], ids[j] = self._joined[ids[i], ids[j]], -1
            after[i] = k = after[j]
            if k < n:
                before[k] = i
                if (rank := ranks.get((ids[i], ids[k]))) is not None:
                    heappush(queue, (rank, i))
            if (h := before[i]) >= 0 and (rank := ranks.get((ids[h], ids[i]))) is not None:
                heappush(queue, (rank, h))
        return [i for i in ids if i >= 0]


def _spell(piece: bytes) -> str:
    """Write bytes with a letter for each, as files of merges do: a space is Ġ."""
    return "".join(_LETTERS[byte] for byte in piece)


def _bytes(spelled: str) -> bytes:
    by_letter = {letter: byte for byte, letter in _LETTERS.items()}
    return bytes(by_letter[letter] for letter in spelled)


def _check_ids(ids: Iterable[int], n_ids: int) -> list[int]:
    ids = list(ids)
    if wrong := [i for i in ids if not 0 <= i < n_ids]:
        raise ValueError(f"ids must be in [0, {n_ids}), got {wrong[0]}")
    return ids
