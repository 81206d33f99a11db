"""A stock client of the chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import socketio

from tests.integration.waiting import SCALE, wait_until

TIMEOUT = 10 * SCALE


class Client:
    """A stock Python client at the chat, and what it has heard. `url` may name a room."""

    def __init__(self, url: str, *, transports: Sequence[str] = ("websocket",)) -> None:
        self.heard: list[dict[str, Any]] = []
        self.refusals: list[dict[str, Any]] = []
        self.socket = socketio.Client(reconnection=False)
        self.socket.on("message", self.heard.append)
        self.socket.on("refused", self.refusals.append)
        self.socket.connect(url, transports=[*transports], wait_timeout=TIMEOUT)

    def join(self, name: str, roomid: str, **more: object) -> dict[str, Any]:
        answer = self.ask("join", {"username": name, "roomid": roomid, **more})
        assert answer["ok"], answer
        return answer

    def say(self, text: str, roomid: str, **more: object) -> dict[str, Any]:
        answer = self.ask("say", {"text": text, "roomid": roomid, **more})
        assert answer["ok"], answer
        return answer

    def ask(self, event: str, *arguments: object) -> dict[str, Any]:
        """The ack."""
        data = arguments[0] if len(arguments) == 1 else tuple(arguments)
        answer: dict[str, Any] = self.socket.call(event, data, timeout=TIMEOUT)
        return answer

    def wait_for(self, event: str, **fields: object) -> dict[str, Any]:
        """The data of the first message like this one."""
        wait_until(lambda: self.all(event, **fields), words=f"{event} {fields}, heard {self.heard}")
        return dict(self.all(event, **fields)[0]["data"])

    def all(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Every message like this one, so far."""
        return [
            message
            for message in self.heard
            if message["event"] == event and fields.items() <= message["data"].items()
        ]
