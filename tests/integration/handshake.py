"""Open Engine.IO sessions by hand, from any loopback address, with a clock beside it."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass

from tests.integration.waiting import SCALE

PATH = "/socket.io/?EIO=4&transport=polling"
SECONDS = 20 * SCALE


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session's id, or none, with the HTTP status and how long the answer took."""

    sid: str
    status: int
    seconds: float

    @property
    def slot(self) -> int:
        return int(self.sid.partition("-")[0].removeprefix("a"))


def open_session(port: int, *, address: str = "127.0.0.1") -> Opened:
    """One handshake over polling (Engine.IO protocol v4, "Handshake")."""
    start = time.monotonic()
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=SECONDS, source_address=(address, 0)
    )
    try:
        connection.request("GET", PATH)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    sid = json.loads(body[1:])["sid"] if response.status == 200 else ""
    return Opened(sid, response.status, time.monotonic() - start)
