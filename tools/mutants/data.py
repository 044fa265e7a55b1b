"""Faults in bigmodel_lib/data."""

from tools.mutants.fault import fault

FAULTS = (
    fault(
        "special tokens share the first ids with the bytes",
        "data/tokenizers.py",
        "{byte: len(special_tokens) + i for i, byte in enumerate(BYTES)}",
        "{byte: i for i, byte in enumerate(BYTES)}",
        "data/test_tokenizers.py::test_special_tokens_are_never_read_from_text",
    ),
    fault(
        "the pair that stands first is joined first",
        "data/tokenizers.py",
        "queue = [(ranks[pair], i) for",
        "queue = [(i, ranks[pair]) and (i, i) for",
        "data/test_tokenizers.py::test_merges_apply_in_their_order_and_from_left_to_right",
    ),
    fault(
        "pairs of a merged word keep their old counts",
        "data/bpe.py",
        "if -count == self.counts[pair]:",
        "if self.counts[pair] > 0:",
        "data/test_bpe.py::test_same_merges_and_tokens_as_tokenizers",
        "data/test_bpe.py::test_same_merges_on_texts_full_of_repetitions",
    ),
    fault(
        "of equal pairs the highest ids are joined",
        "data/bpe.py",
        "joined = pieces[best[0]] + pieces[best[1]]",
        "joined = pieces[best[1]] + pieces[best[0]]",
        "data/test_bpe.py::test_the_example_of_the_paper",
    ),
    fault(
        "half a letter raises",
        "data/tokenizers.py",
        'pieces.decode(errors="replace")',
        "pieces.decode()",
        "data/test_tokenizers.py::test_half_a_letter_is_marked",
    ),
    fault(
        "training digits hold the testing ones",
        "data/digits.py",
        "return np.flatnonzero(~is_test), np.flatnonzero(is_test)",
        "return np.arange(len(labels)), np.flatnonzero(is_test)",
        "data/test_digits.py::test_every_digit_has_its_share_in_both_parts",
    ),
    fault(
        "digits enlarged from the corners of the pixels",
        "data/digits.py",
        "centres = (np.arange(n_new) + 0.5) * n_old / n_new - 0.5",
        "centres = np.arange(n_new) * n_old / n_new",
        "data/test_digits.py::test_enlarging_is_bilinear_interpolation",
    ),
    fault(
        "a paragraph stands in the text twice",
        "data/text.py",
        r'return "\n\n".join(seen) + "\n"',
        r'return "\n\n".join(b for topic in _topics() for b in _split(topic)) + "\n"',
        "data/test_text.py::test_nothing_is_said_twice",
    ),
    fault(
        "tastes grow with the number of factors",
        "data/ratings.py",
        "tastes = rng.normal(0.0, n_factors**-0.25,",
        "tastes = rng.normal(0.0, 1.0,",
        "data/test_ratings.py::test_taste_moves_a_rating_by_a_star_whatever_the_number_of_factors",
    ),
    fault(
        "an archive may write outside its folder",
        "data/download.py",
        'or ".." in parts or',
        "or",
        "data/test_download.py::test_a_path_that_leads_out_is_refused",
    ),
    fault(
        "a download of the right size is believed",
        "data/download.py",
        'known_hash=f"sha256:{remote.sha256}"',
        "known_hash=None",
        "data/test_download.py::test_a_fault_is_told_and_leaves_nothing",
    ),
    fault(
        "a file on the disk is believed",
        "data/download.py",
        " and _digest(path) == remote.sha256",
        "",
        "data/test_download.py::test_a_file_altered_on_the_disk_is_fetched_again",
    ),
)
