"""The client manager: python-socketio's own Redis manager, with a link that says its state."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from typing import Any

import socketio
from gevent.event import Event

log = logging.getLogger(__name__)
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0  # the stock manager sleeps for up to 60 s, deaf meanwhile
POLL_SECONDS = 5.0
LINK_OPTIONS: dict[str, object] = {"health_check_interval": 10}
TCP_OPTIONS: dict[str, object] = {"socket_connect_timeout": 5, "socket_keepalive": True}


class QueueManager(socketio.RedisManager):  # type: ignore[misc]
    """One channel for all emits, as Flask-SocketIO has it.

    `live` is set while the subscription is confirmed by Redis: only then does this worker hear
    what others emit.
    """

    name = "siocluster"

    def __init__(self, url: str, *, channel: str) -> None:
        options = LINK_OPTIONS | ({} if url.startswith("unix:") else TCP_OPTIONS)
        super().__init__(url, channel=channel, redis_options=options)
        self.live = Event()
        self.last_error = ""

    def subscribe(self, server: socketio.Server, *, seconds: float) -> bool:
        """Take over `server` and subscribe now; returns whether Redis confirmed in time.

        The stock server subscribes at its first connection, so a new worker would miss what is
        emitted before.
        """
        server.manager = self
        self.set_server(server)
        server.manager_initialized = True
        self.initialize()
        return bool(self.live.wait(timeout=seconds))

    def _redis_listen_with_retries(self) -> Iterator[dict[str, Any]]:
        pause = FIRST_PAUSE
        while True:
            try:
                self._redis_connect()
                self.pubsub = self.redis.pubsub()
                self.pubsub.subscribe(self.channel)
                for message in self._heard():
                    pause = FIRST_PAUSE
                    yield message
            except Exception as error:
                self._lost(error)
                time.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(LONGEST_PAUSE, pause * 2)

    def _heard(self) -> Iterator[dict[str, Any]]:
        while True:
            message = self.pubsub.get_message(timeout=POLL_SECONDS)
            if message is None:
                continue
            if message["type"] == "subscribe":
                self._confirmed()
            else:
                yield message

    def _confirmed(self) -> None:
        if not self.live.is_set():
            log.debug("Hears Redis on channel %s.", self.channel)
        self.live.set()

    def _lost(self, error: Exception) -> None:
        self.last_error = str(error)
        if self.live.is_set():
            log.error("Lost Redis (%s); trying again.", error)
        self.live.clear()
