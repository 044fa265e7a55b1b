"""Learning byte-pair encoding: which neighbours to join, found in one pass over the pairs.

Paper: Sennrich, Haddow & Birch (2016), Neural Machine Translation of Rare Words with Subword
       Units, ACL, section 3.2, algorithm 1, arXiv:1508.07909.

Counting every pair again after every merge takes the size of the text times the number of merges.
Here an index says in which words a pair stands, so that a merge touches those words only, and a
queue holds the pairs by their counts. Merges, ties included, are those of the `tokenizers` package.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

from bigmodel_lib.data.tokenizers import BYTES, BytePairTokenizer, Pair
from bigmodel_lib.data.words import split_words


def train_bpe(
    text: str, vocab_size: int, *, special_tokens: Sequence[str] = ()
) -> BytePairTokenizer:
    """Learn merges: again and again, join the two neighbours that stand together most often.

    Args:
        text: What to learn from.
        vocab_size: Number of ids to reach, V; fewer if there is nothing left to join.
        special_tokens: As in `BytePairTokenizer`.

    Raises:
        ValueError: If `vocab_size` leaves no room for the 256 bytes and the special tokens.
    """
    n_special = len(special_tokens)
    if vocab_size < n_special + 256:
        raise ValueError(f"vocab_size must be at least {n_special + 256}, got {vocab_size}")
    pieces = [b""] * n_special + [bytes([byte]) for byte in BYTES]
    ids = {piece: i for i, piece in enumerate(pieces) if piece}
    pairs = _Pairs(Counter(split_words(text)), n_special)
    merges: dict[Pair, None] = {}  # in order, each once

    while len(pieces) < vocab_size and (best := pairs.most_frequent()):
        joined = pieces[best[0]] + pieces[best[1]]
        if joined not in ids:  # else another merge has made the same piece
            ids[joined] = len(pieces)
            pieces.append(joined)
        pairs.join(best, ids[joined])
        merges[best] = None
    return BytePairTokenizer([(pieces[a], pieces[b]) for a, b in merges], special_tokens)


class _Pairs:
    """Every pair of neighbours: how often it stands in the text, and in which words.

    Args:
        words: How often each word stands in the text.
        first_id: The id of the first byte of `BYTES`.
    """

    def __init__(self, words: Counter[str], first_id: int) -> None:
        to_id = {byte: first_id + i for i, byte in enumerate(BYTES)}
        self.splits = [[to_id[byte] for byte in word.encode()] for word in words]
        self.n_words = list(words.values())
        self.counts: defaultdict[Pair, int] = defaultdict(int)
        self.where: defaultdict[Pair, set[int]] = defaultdict(set)
        for word, split in enumerate(self.splits):
            for pair in pairwise(split):
                self.counts[pair] += self.n_words[word]
                self.where[pair].add(word)
        self.queue = [(-count, pair) for pair, count in self.counts.items()]
        heapify(self.queue)

    def most_frequent(self) -> Pair | None:
        """Take the pair that stands together most often; of several, the one of lowest ids."""
        while self.queue:
            count, pair = heappop(self.queue)
            if -count == self.counts[pair]:
                return pair
            if self.counts[pair] > 0:  # some have been joined to others since it was queued
                heappush(self.queue, (-self.counts[pair], pair))
        return None

    def join(self, pair: Pair, joined: int) -> None:
        """Put `joined` in the place of `pair` in every word, and count the new neighbours."""
        grown = set()
        for word in self.where.pop(pair, ()):
            for neighbours, change in _join(self.splits[word], pair, joined):
                self.counts[neighbours] += change * self.n_words[word]
                if change > 0:
                    self.where[neighbours].add(word)
                    grown.add(neighbours)
        for neighbours in grown:
            if self.counts[neighbours] > 0:
                heappush(self.queue, (-self.counts[neighbours], neighbours))


def _join(split: list[int], pair: Pair, joined: int) -> list[tuple[Pair, int]]:
    """Join `pair` wherever it stands in a word, and tell which pairs came and which went."""
    left, right = pair
    changes, i = [], 0
    while i < len(split) - 1:
        if split[i] == left and split[i + 1] == right:
            split[i : i + 2] = [joined]
            if i > 0:
                changes += [((split[i - 1], left), -1), ((split[i - 1], joined), 1)]
            if i + 1 < len(split):
                changes += [((right, split[i + 1]), -1), ((joined, split[i + 1]), 1)]
        i += 1
    return changes
