"""Somebody who has said much in a room, by stock clients beside the browsers."""

from __future__ import annotations

from collections.abc import Sequence

import socketio

from tests.integration.waiting import SCALE

AT_ONCE = 20  # what one connection may say before it is too fast
SECONDS = 10 * SCALE


def say_all(url: str, room: str, texts: Sequence[str], *, name: str = "Crowd") -> None:
    """Says all of it, in this order; each is stored when this returns."""
    for start in range(0, len(texts), AT_ONCE):
        client = socketio.Client(reconnection=False)
        client.connect(url, transports=["websocket"], wait_timeout=SECONDS)
        try:
            key = f"the-key-of-{room}"
            _ask(client, "join", {"username": name, "roomid": room, "key": key})
            for text in texts[start : start + AT_ONCE]:
                _ask(client, "say", {"text": text, "roomid": room})
        finally:
            client.disconnect()


def lines(count: int, *, start: int = 1) -> list[str]:
    return [f"line {number}" for number in range(start, start + count)]


def _ask(client: socketio.Client, event: str, fields: dict[str, str]) -> None:
    answer = client.call(event, fields, timeout=SECONDS)
    assert answer["ok"], answer
