"""The chat without the runner keeps the same wire, in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.app_server import RunningApp
from tests.integration.chat_alone import start_alone
from tests.integration.chat_client import Client


@pytest.fixture
def chat() -> Iterator[RunningApp]:
    with start_alone() as app:
        yield app
        assert "Traceback" not in app.log()


def test_alone_the_chat_keeps_history_presence_and_message_ids(chat: RunningApp) -> None:
    ada = Client(chat.url)
    ben = Client(f"{chat.url}?roomid=garden")
    try:
        ada.join("Ada", "garden", key="the-key-of-ada")
        first = ada.say("once", "garden", id="m-1")
        assert ada.say("once", "garden", id="m-1")["position"] == first["position"]
        joined = ben.ask("join", {"username": "Ben"})
        assert [message["data"]["text"] for message in joined["messages"]] == ["once"]
        assert {one["username"] for one in joined["people"]} == {"Ada", "Ben"}
        ada.socket.disconnect()
        ben.wait_for("broadcast_quit", username="Ada")
    finally:
        ada.socket.disconnect()
        ben.socket.disconnect()
