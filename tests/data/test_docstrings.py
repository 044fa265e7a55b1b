"""Tests of bigmodel_lib/data/docstrings.py."""

import inspect
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigmodel_lib.data.docstrings import PACKAGES, RUN, _Runs, load_docstrings

HERONS = "The grey heron stands in shallow water for hours and waits until a fish comes near."
OTTERS = "An otter sleeps on its back and holds the hand of another one so as not to drift away."
STORKS = "Every spring the white stork comes back to the roof that it had left in autumn."
ANIMALS = f'''"""{HERONS}

x = 1 is how to write it, and there are many more words of code on this line, though
no sentence.
"""

class Otter:
    """Short.

    {
    OTTERS.replace(
        " and ",
        """
    and """,
    )
}

    Args:
        name: A name.
            {STORKS}
    """

    def dive(self):
        "Swim."
        return "This is a string of more than a dozen words, but it documents nothing at all."
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put files where packages are looked for."""

    def files(**modules: str | bytes) -> None:
        for name, source in modules.items():
            path = tmp_path / name.replace("__", "/").replace("_py", ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.encode() if isinstance(source, str) else source)

    monkeypatch.syspath_prepend(tmp_path)
    return files


def doc(*paragraphs: str) -> str:
    text = "\n\n".join(paragraphs)
    return f"'''{text}'''"


def test_documents_are_the_prose_of_modules(install):
    install(zoo__init_py="", zoo__animals_py=ANIMALS)
    assert load_docstrings(["zoo"]) == ["\n".join([HERONS, OTTERS, STORKS]) + "\n"]


def test_nothing_is_imported(install):
    install(zoo__a_py=doc(HERONS) + "\nraise SystemExit")
    assert load_docstrings(["zoo"]) == [HERONS + "\n"]
    assert "zoo" not in sys.modules


def test_modules_come_in_the_order_of_their_names_and_packages_as_they_are_given(install):
    install(zoo__c_py=doc(STORKS), zoo__a_py=doc(HERONS), sea__b_py=doc(OTTERS))
    assert load_docstrings(["zoo", "sea"]) == [f"{text}\n" for text in (HERONS, STORKS, OTTERS)]
    assert load_docstrings(["sea", "zoo"])[0] == OTTERS + "\n"


def test_a_paragraph_is_kept_once_whatever_its_line_breaks(install):
    again = HERONS.replace(" in ", "\n   in ").replace(" and ", "\n   and ")
    install(zoo__a_py=doc(HERONS), zoo__b_py=doc(OTTERS, again.replace("\n   ", "\n")))
    assert load_docstrings(["zoo"]) == [HERONS + "\n", OTTERS + "\n"]


def test_definitions_are_found_in_the_blocks_of_other_statements(install):
    source = f"try:\n  if 1:\n    def f(): '{HERONS}'\nexcept ValueError:\n  class C: '{OTTERS}'\n"
    install(zoo__a_py=source + f"else:\n  async def g(): '{STORKS}'\n")
    assert load_docstrings(["zoo"]) == ["\n".join([HERONS, OTTERS, STORKS]) + "\n"]


def test_tests_and_code_of_others_are_left_out(install, tmp_path):
    install(zoo__a_py=doc(HERONS))
    for place in ("tests/b.py", "idle_test/b.py", "_vendor/b.py", "test_b.py", "conftest.py"):
        path = tmp_path / "zoo" / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(doc(OTTERS))
    (tmp_path / "zoo" / "testament.py").write_text(doc(STORKS))

    assert load_docstrings(["zoo"]) == [HERONS + "\n", STORKS + "\n"]


@pytest.mark.parametrize(
    "source",
    [
        "print 'of Python 2'",
        b"'''\xe9'''",
        b"\x00\x01",
        "(" * 5_000 + ")" * 5_000,
    ],
)
def test_a_file_that_python_cannot_parse_is_passed_over(install, source):
    install(zoo__a_py=doc(HERONS), zoo__b_py=source)
    assert load_docstrings(["zoo"]) == [HERONS + "\n"]


def test_other_encodings_odd_escapes_and_half_characters(install):
    latin = f"# coding: latin-1\n{doc(HERONS.replace('grey', 'gréy'))}".encode("latin-1")
    install(
        zoo__a_py=latin,
        zoo__b_py=doc(OTTERS.replace("hand", r"h\d")),  # warns, where a warning is an error
        zoo__c_py="\ufeff" + doc(STORKS.replace("white", r"wh\ud800te")),
    )
    assert load_docstrings(["zoo"]) == [
        HERONS.replace("grey", "gréy") + "\n",
        STORKS.replace("white", "wh?te") + "\n",
    ]


def test_a_link_to_a_folder_above_does_not_go_round_in_circles(install, tmp_path):
    install(zoo__a_py=doc(HERONS))
    (tmp_path / "zoo" / "again").symlink_to(tmp_path / "zoo")
    (tmp_path / "zoo" / "lost.py").symlink_to(tmp_path / "nowhere.py")
    assert load_docstrings(["zoo"]) == [HERONS + "\n"]


def test_a_held_out_paragraph_that_is_planted_is_left_out(install):
    install(zoo__a_py=doc(HERONS, OTTERS))
    disguised = "Before. " + HERONS.upper().replace(" ", " \n") + " After."
    assert load_docstrings(["zoo"], avoid=disguised) == [OTTERS + "\n"]


def test_thirteen_words_in_common_are_too_many_and_twelve_are_not(install):
    install(zoo__a_py=doc(HERONS, OTTERS))
    words = HERONS.split()
    for start in range(len(words) - RUN + 1):
        shared = " ".join(words[start : start + RUN])
        assert load_docstrings(["zoo"], avoid=f"Look: {shared} there.") == [OTTERS + "\n"]
    twelve = " ".join(words[: RUN - 1])
    assert len(load_docstrings(["zoo"], avoid=twelve)[0].splitlines()) == 2


def test_a_paragraph_of_fewer_words_must_stand_there_whole(install):
    install(zoo__a_py=doc("A robin sings.", OTTERS))
    for avoid, kept in (("Hear: a robin sings!", 1), ("A robin. Sings it?", 1), ("A robin", 2)):
        (document,) = load_docstrings(["zoo"], min_words=3, avoid=avoid)
        assert len(document.splitlines()) == kept


@given(
    st.lists(st.sampled_from("abc"), max_size=40),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
)
def test_a_run_is_shared_if_it_stands_in_both(held_out, text):
    n = min(RUN, len(text))
    line = " ".join(held_out) + " "
    wanted = any(" ".join(text[i : i + n]) + " " in line for i in range(len(text) - n + 1))
    assert _Runs(" ".join(held_out)).share(" ".join(text)) == wanted


def test_what_cannot_be_read_is_named(install, tmp_path):
    install(zoo__a_py="x = 1", alone_py=doc(HERONS))
    for name in ("unicorn", "zoo.a", ""):
        with pytest.raises(ValueError, match=rf"there is no package '{name}' here to read"):
            load_docstrings([name])
    with pytest.raises(ValueError, match=r"'alone' cannot be read: '.*alone\.py' is not a folder"):
        load_docstrings(["alone"])
    with pytest.raises(ValueError, match=r"no prose of 12 words in the documentation of \['zoo'\]"):
        load_docstrings(["zoo"])


def test_the_standard_library_has_plenty():
    documents = load_docstrings(["stdlib"])
    paragraphs = "".join(documents).splitlines()
    imported = inspect.getdoc(json.loads).split("\n\n")[0]

    assert len(documents) > 300
    assert len(paragraphs) == len(set(paragraphs)) > 4_000
    assert min(len(text.split()) for text in paragraphs) >= 12
    assert not any(">>>" in text or "  " in text for text in paragraphs)
    assert " ".join(imported.split()) in paragraphs


def test_the_packages_are_those_that_this_library_needs():
    assert {"numpy", "torch", "transformers", "stdlib"} < set(PACKAGES)
    assert len(set(PACKAGES)) == len(PACKAGES)
