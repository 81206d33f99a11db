"""Many stock JavaScript clients beside a test, and all that they saw so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

from tests.integration.javascript import Script, running_script
from tests.integration.waiting import SCALE, wait_until

SECONDS = 30 * SCALE
# Back within a second, so that a test need not wait for five.
SOON = {"reconnectionDelay": 50, "reconnectionDelayMax": 500}

Saw = dict[str, Any]


class Flood:
    """What tests/js/flood.mjs prints, collected by a thread. The shapes are described there."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._saw: list[Saw] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._script.lines():
            self._saw.append(line)

    def saw(self, event: str) -> list[Saw]:
        return [line for line in list(self._saw) if line["event"] == event]

    def sids(self) -> dict[int, str]:
        """Each client's present session, by its number."""
        lines = [line for line in list(self._saw) if line["event"] in ("connect", "reconnect")]
        return {line["client"]: line["sid"] for line in lines}

    def on_slot(self, slot: int) -> set[int]:
        """The clients whose session lives on this slot of node `a`."""
        return {client for client, sid in self.sids().items() if re.match(rf"a{slot}-", sid)}

    def wait_for(self, condition: Callable[[], object], *, words: str) -> float:
        return wait_until(
            condition, words=words, seconds=SECONDS, log=lambda: f"{list(self._saw)[-20:]}"
        )

    def end(self) -> Saw:
        """The last line: the counts, and how many are connected."""
        self._script.let_go()
        self._reader.join(SECONDS)
        (last,) = self.saw("end")
        return last


@contextmanager
def flood(
    url: str, *, clients: int, transports: Sequence[str] = ("websocket",), **more: object
) -> Iterator[Flood]:
    """`clients` of them, all connected."""
    options = {**SOON, **more}
    with running_script(
        "flood.mjs", url=url, clients=clients, transports=list(transports), options=options
    ) as script:
        crowd = Flood(script)
        crowd.wait_for(lambda: crowd.saw("ready"), words=f"{clients} clients to connect")
        yield crowd
