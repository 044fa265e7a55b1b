"""Tests of bigmodel_lib/retrieval/semantic.py."""

import numpy as np

from bigmodel_lib.retrieval.semantic import Semantic

TEXTS = [
    "The cat sleeps on the sofa.",
    "Share prices fell on Monday.",
    "Add salt to the boiling water.",
]


def test_a_question_finds_its_answer_without_sharing_a_word(encoder):
    index = Semantic(TEXTS, encoder)
    questions = ["Where is my pet?", "How did markets do this week?", "a recipe", "kittens"]

    scores = index.scores(questions)

    assert scores.shape == (4, 3)  # questions by passages
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 0]


def test_scores_are_cosines(encoder):
    index = Semantic(TEXTS, encoder)
    scores = index.scores(TEXTS)
    np.testing.assert_allclose(scores.diagonal(), 1, atol=1e-5)
    vectors = encoder(TEXTS).double().numpy()
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(scores, vectors @ vectors.T / np.outer(lengths, lengths), atol=1e-5)


def test_the_order_of_the_texts_is_kept(encoder):
    texts = ["a word", "a somewhat longer text with several words in it", "two words"]
    together = Semantic(texts, encoder).vectors
    alone = np.concatenate([Semantic([text], encoder).vectors for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
