"""Checks of what an app hands to the room API: each returns the value, or raises and says why.

TypeError for a wrong type, ValueError for a wrong value; the message names the argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from siocluster.bus.values import Room

LONGEST_ID = 200
MOST_EVENTS = 1_000_000
LONGEST_SECONDS = 10 * 366 * 86400.0  # ten years

Function = TypeVar("Function", bound=Callable[..., object])


def room(value: Any) -> Room:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"room must be text or an int, not {_kind(value)}.")
    if value == "":
        # Flask-SocketIO takes it for no room at all, and would tell everyone.
        raise ValueError('room must not be "".')
    return value if isinstance(value, int) else _encodable(value, "room")


def namespace(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"namespace must be text, not {_kind(value)}.")
    if not value.startswith("/"):
        raise ValueError(f'namespace must begin with "/", unlike {value[:LONGEST_ID]!r}.')
    return _encodable(value, "namespace")


def event(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"event must be text, not {_kind(value)}.")
    if not value:
        raise ValueError('event must not be "".')
    return _encodable(value, "event")


def identity(value: Any, *, name: str) -> str:
    """An id of the app's or of a client's: 1 to 200 characters."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, not {_kind(value)}.")
    if not 1 <= len(value) <= LONGEST_ID:
        raise ValueError(f"{name} must have 1 to {LONGEST_ID} characters, not {len(value)}.")
    return _encodable(value, name)


def whole(value: Any, *, name: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {_kind(value)}.")
    if not 1 <= value <= most:
        raise ValueError(f"{name} must be 1 to {most}, not {value}.")
    return value


def seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"seconds must be a number, not {_kind(value)}.")
    if not 0 < value <= LONGEST_SECONDS or math.isnan(value):
        raise ValueError(f"seconds must be above 0 and at most {LONGEST_SECONDS:.0f}, not {value}.")
    return float(value)


def sids(value: Any) -> tuple[str, ...]:
    """None, one sid or several."""
    if value is None:
        return ()
    several = (value,) if isinstance(value, str) else value
    if not isinstance(several, Iterable) or isinstance(several, bytes | dict):
        raise TypeError(f"skip_sid must be a sid or a list of sids, not {_kind(value)}.")
    several = tuple(several)
    for sid in several:
        if not isinstance(sid, str):
            raise TypeError(f"a sid in skip_sid must be text, not {_kind(sid)}.")
    return several


def function(value: Function, *, name: str) -> Function:
    if not callable(value):
        raise TypeError(f"{name} takes a function, not {_kind(value)}.")
    return value


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _encodable(value: str, name: str) -> str:
    """Half a character (a lone surrogate) reaches neither Redis nor a client."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} is no valid Unicode text: {value[:LONGEST_ID]!a}.") from None
    return value
