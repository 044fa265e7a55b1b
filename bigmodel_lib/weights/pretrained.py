"""Pretrained networks: from a folder of published weights to a model of the book, and back.

Chapter: chapters/01_background/02_ten_minute_tour.ipynb
"""

from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from bigmodel_lib.weights import bert, gpt, llama, resnet, vit
from bigmodel_lib.weights.checks import check_settings
from bigmodel_lib.weights.files import fill, tied_names
from bigmodel_lib.weights.folders import CONFIG, read_folder, read_json, write_folder
from bigmodel_lib.weights.links import to_ours, to_theirs
from bigmodel_lib.weights.sources import find_folder

# What config.json calls model_type, and the file of ours that speaks its language. All of them
# answer the same questions: MODELS, SUPPORTED, read_config, write_config, standard_name,
# extra_tensors, links.
_FORMATS = {"bert": bert, "gpt2": gpt, "llama": llama, "resnet": resnet, "vit": vit}


def from_pretrained(source: str | Path, *, dtype: torch.dtype | None = None) -> nn.Module:
    """Build the model that a folder describes, and give it the folder's weights.

    Args:
        source: "all-MiniLM-L6-v2", or a folder in the Hugging Face format of BERT, GPT-2, Llama,
            ResNet or ViT.
        dtype: Type of the weights; None keeps the one they are stored in.

    Returns:
        The model in evaluation mode, on the CPU.

    Raises:
        FileNotFoundError: If the folder or a file in it is missing.
        ValueError: If the architecture is unknown, the weights are pickles, cut short or
            altered, or the tensors do not fit; the file or the tensor is named.
    """
    folder = find_folder(source)
    description = read_json(folder / CONFIG)
    names, architecture = _format(description, folder / CONFIG)
    config = _read_config(names, description, folder / CONFIG)
    with torch.device("meta"):  # sizes without values: those come from the files
        model = names.MODELS[architecture](config)
    tensors = _standardise(read_folder(folder), names, model, str(folder))
    fill(model, to_ours(tensors, names.links(model), str(folder)), str(folder))
    return model.to(dtype).eval()


def to_pretrained(model: nn.Module, folder: str | Path, *, max_bytes: int = 5_000_000_000) -> None:
    """Write a model as a folder in Hugging Face's format, for `transformers` to load.

    Args:
        model: A model that `from_pretrained` could have built.
        folder: Created if it does not exist; files of the same names are replaced.
        max_bytes: Largest size of one weight file; more are written if needed.

    Raises:
        ValueError: If there is no format for such a model, or a weight is NaN or infinite.
    """
    names, architecture = _format_for(model)
    ties = tied_names(model)
    state = {name: t for name, t in model.state_dict().items() if name not in ties}
    tensors = to_theirs(state, names.links(model)) | names.extra_tensors(model)
    description = {
        "architectures": [architecture],
        "dtype": str(next(iter(state.values())).dtype).removeprefix("torch."),
        **names.write_config(model.config),
    }
    write_folder(Path(folder), description, tensors, max_bytes)


def load_tokenizer(source: str | Path) -> Tokenizer:
    """Load the tokenizer that a pretrained network was trained with.

    It cuts nothing off and adds no padding, whatever its file says: batches are the model's
    affair.

    Args:
        source: As in `from_pretrained`.

    Raises:
        FileNotFoundError: If the folder or its tokenizer.json is missing.
        ValueError: If tokenizer.json is not a tokenizer.
    """
    path = find_folder(source) / "tokenizer.json"
    read_json(path)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust library raises this class itself
        raise ValueError(
            f"expected a tokenizer in {path}, found something else: {error}"
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _format(description: dict[str, Any], path: Path) -> tuple[ModuleType, str]:
    """Which of our name maps, and which of its models, config.json asks for."""
    kind = description.get("model_type")
    if kind not in _FORMATS:
        raise ValueError(f"{path}: model_type is {kind!r}, expected one of {sorted(_FORMATS)}")
    names = _FORMATS[kind]
    architecture = (description.get("architectures") or [next(iter(names.MODELS))])[0]
    if architecture not in names.MODELS:
        raise ValueError(
            f"{path}: architecture is {architecture!r}, expected one of {sorted(names.MODELS)}"
        )
    return names, architecture


def _format_for(model: nn.Module) -> tuple[ModuleType, str]:
    """Which of our name maps knows a model, and what the model is called there."""
    for names in _FORMATS.values():
        for architecture, kind in names.MODELS.items():
            if type(model) is kind:
                return names, architecture
    known = sorted({kind.__name__ for names in _FORMATS.values() for kind in names.MODELS.values()})
    raise ValueError(f"expected one of {', '.join(known)}, got a {type(model).__name__}")


def _read_config(names: ModuleType, description: dict[str, Any], path: Path) -> Any:
    check_settings(description, names.SUPPORTED, str(path))
    try:
        return names.read_config(description)
    except KeyError as error:
        raise ValueError(f"{path}: expected a setting {error}, found none") from error
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{path}: {error}") from error


def _standardise(
    tensors: dict[str, Tensor], names: ModuleType, model: nn.Module, where: str
) -> dict[str, Tensor]:
    """Today's names for whatever names the files use; what the model does without is left out."""
    standard: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        new = names.standard_name(name, model)
        if new in standard and not standard[new].equal(tensor):
            raise ValueError(f"{where}: {name} must equal {new}, with which it is tied")
        if new is not None:
            standard[new] = tensor
    return standard
