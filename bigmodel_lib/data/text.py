"""English text that is already on this machine: the reference that ships inside Python.

`pydoc_data.topics` holds what `help("if")` shows, parts of the Python Language and Library
References: about 80 topics, 460 kB. Several topics repeat one another; each paragraph is kept once,
so that none is both in the training and in the testing part of a split. The words differ slightly
between versions of Python, so a result that depends on them holds within a tolerance.
"""

import re
import sysconfig
from pathlib import Path
from typing import Literal, NamedTuple

from bigmodel_lib.data.corpora import Corpus, Part, load_corpus

_UNDERLINE = re.compile(r"^([*=\-~^\"+#])\1{2,}$")
_SIGNATURE = re.compile(r"^(?:class |@|await )?(\w+\.\w[\w.]*)(?:\(.*)?$", re.MULTILINE)
_NOT_PROSE = re.compile(r"::=|>>>|^\s*[+|]|^\s*#|[{};]\s*$|^\s*(def|class|for|if|while|try) .*:$")


class Passage(NamedTuple):
    """One paragraph of prose and the heading, or "heading: method", that it stands under."""

    title: str
    text: str


def load_passages(*, min_words: int = 12) -> list[Passage]:
    """Return the reference as paragraphs of prose, each on one line, without repetitions.

    Grammar rules, code, tables and lists of fewer than `min_words` words are left out.

    Args:
        min_words: Length of the shortest paragraph that is kept.
    """
    passages: dict[str, Passage] = {}
    for title, block in _blocks():
        text = " ".join(block.split())
        if len(text.split()) >= min_words and _is_prose(block):
            passages.setdefault(text, Passage(title, text))
    return list(passages.values())


def load_text(source: Literal["python"] | Corpus = "python", part: Part = "train") -> str:
    """Return a text for a language model as one string.

    Args:
        source: "python" for the reference: every heading, paragraph and example, once. The name
            of a corpus of `corpora`, such as "shakespeare", downloads that one.
        part: Which part of a corpus; the reference has only one.
    """
    if source != "python":
        return load_corpus(source, part)
    seen: dict[str, None] = {}
    for topic in _topics():
        for block in _split(topic):
            seen.setdefault(block)
    return "\n\n".join(seen) + "\n"


def load_source(*, max_bytes: int | None = None) -> str:
    """Return the standard library's own modules as one string, in alphabetical order.

    Only the modules at the top level of the library are read (about 4.7 MB); packages and tests
    are not.

    Args:
        max_bytes: Stop before the module that would exceed this many bytes; None reads all.

    Raises:
        ValueError: If `max_bytes` is smaller than the first module.
    """
    parts, n_bytes = [], 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_bytes()
        n_bytes += len(source)
        if max_bytes is not None and n_bytes > max_bytes:
            break
        parts.append(source.decode("utf-8").replace("\r\n", "\n"))
    if not parts:
        raise ValueError(f"max_bytes must be at least {n_bytes}, got {max_bytes}")
    return "".join(parts)


def _topics() -> list[str]:
    """Return the topics in alphabetical order of their names, with plain line ends."""
    from pydoc_data.topics import topics

    return [topics[name].replace("\r\n", "\n") for name in sorted(topics)]


def _split(topic: str) -> list[str]:
    """Cut a topic at its blank lines."""
    lines = "\n".join(line.rstrip() for line in topic.split("\n"))
    return [block.strip("\n") for block in re.split(r"\n{2,}", lines) if block.strip()]


def _blocks() -> list[tuple[str, str]]:
    """Pair every block below a heading with that heading, and with the method it describes."""
    pairs, heading, entry = [], "", ""
    for topic in _topics():
        for block in _split(topic):
            lines = block.split("\n")
            if len(lines) == 2 and _UNDERLINE.match(lines[1]):
                heading, entry = lines[0].replace('"', "").strip(), ""
            elif signature := _SIGNATURE.match(block):
                entry = f": {signature[1]}"
            else:
                if not block.startswith(" "):  # back at the margin: the entry has ended
                    entry = ""
                pairs.append((heading + entry, block))
    return pairs


def _is_prose(block: str) -> bool:
    """Sentences begin with a letter or a quotation mark and end with a stop."""
    text = block.strip()
    if not re.match(r"[*\"“‘]*[A-Z0-9]", text) or not re.search(r"[.:!?)][\"”’*]*$", text):
        return False
    return not any(_NOT_PROSE.search(line) for line in block.split("\n"))
