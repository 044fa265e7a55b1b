"""Marks by which a cell would escape from being run or compared. This book refuses them all."""

import re
from collections.abc import Mapping
from typing import Any

_COMMENT = re.compile(r"\b(?:NBVAL|PYTEST_VALIDATE)_[A-Z_]+")
_TAG = re.compile(r"(?:nbval|pytest-validate)[-_].*|skip-execution", re.IGNORECASE)


def escape_markers(cell: Mapping[str, Any]) -> list[str]:
    """List the comments and tags of a cell that would skip it or ignore its output."""
    tags = [tag for tag in cell["metadata"].get("tags", []) if _TAG.fullmatch(tag)]
    return [*_COMMENT.findall(cell["source"]), *tags]
