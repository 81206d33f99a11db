"""Data that every client of Socket.IO can take: JSON values, and bytes."""

from __future__ import annotations

import math
from typing import Any

DEEPEST = 100


def plain(value: Any, *, name: str = "data", binary: bool = True, depth: int = 0) -> Any:
    """A copy of `value` that nobody else can change, made of dicts, lists, text, numbers, bytes.

    Raises TypeError for what JSON has no word for, ValueError for NaN, infinity and nesting
    without end; both name the spot. Bytes are allowed where `binary` is.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return _finite(value, name)
    if binary and isinstance(value, bytes | bytearray):
        return bytes(value)
    if depth == DEEPEST:
        raise ValueError(f"data is nested more than {DEEPEST} deep, or contains itself.")
    deeper = depth + 1
    if isinstance(value, dict):
        return {
            _key(key, name): plain(each, name=f"{name}[{key!r}]", binary=binary, depth=deeper)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            plain(each, name=f"{name}[{index}]", binary=binary, depth=deeper)
            for index, each in enumerate(value)
        ]
    raise TypeError(f"{name} is of type {type(value).__name__}, {_advice(binary)}.")


def _advice(binary: bool) -> str:
    if binary:
        return "which Socket.IO cannot carry: it takes dicts, lists, text, numbers and bytes"
    return "which JSON cannot carry: it takes dicts, lists, text and numbers"


def _finite(value: float, name: str) -> float:
    # Python writes NaN into JSON, and a browser drops the connection over it.
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, which JSON has no word for.")
    return value


def _key(key: object, name: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{name} has the key {key!r}; the keys of JSON are text.")
    return key
