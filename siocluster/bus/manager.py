"""The client manager: python-socketio's own Redis manager, with a link that says its state."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from typing import Any

import redis
import socketio
from gevent.event import Event
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0  # the stock manager sleeps for up to 60 s, deaf meanwhile
PING_SECONDS = 2.0
MOST_MISSED = 3  # pings without a sign of life after which the link is lost
SECONDS_TO_PUBLISH = 5.0
LINK_OPTIONS: dict[str, object] = {
    "health_check_interval": 10,
    "socket_timeout": SECONDS_TO_PUBLISH,
    # The library's own retries would hide that the link was lost, and with it messages.
    "retry": Retry(NoBackoff(), 0),
}
TCP_OPTIONS: dict[str, object] = {"socket_connect_timeout": 5, "socket_keepalive": True}


class QueueManager(socketio.RedisManager):  # type: ignore[misc]
    """One channel for all emits, as Flask-SocketIO has it.

    `live` is set while the subscription is confirmed by Redis, and Redis answers on it: only then
    does this worker hear what others emit.
    """

    name = "siocluster"

    def __init__(self, url: str, *, channel: str) -> None:
        options = LINK_OPTIONS | ({} if url.startswith("unix:") else TCP_OPTIONS)
        super().__init__(url, channel=channel, redis_options=options)
        self.live = Event()
        self.last_error = ""
        self._pause = FIRST_PAUSE
        self._untold = 0

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

    # What others emit

    def _redis_listen_with_retries(self) -> Iterator[dict[str, Any]]:
        while True:
            try:
                self._redis_connect()
                self.pubsub = self.redis.pubsub()
                self.pubsub.subscribe(self.channel)
                yield from self._messages()
            except Exception as error:
                self._lost(error)
                time.sleep(self._pause * random.uniform(0.5, 1.0))
                self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _messages(self) -> Iterator[dict[str, Any]]:
        """What arrives, until Redis is silent: a frozen one, or a cut cable, closes nothing.

        Pings are counted and not seconds: a handler that blocks here is not Redis's silence.
        """
        missed = 0
        while missed < MOST_MISSED:
            message = self.pubsub.get_message(timeout=PING_SECONDS)
            if message is None:
                missed += 1
                self.pubsub.ping()
                continue
            missed = 0
            if message["type"] == "subscribe":
                self._confirmed()
            elif message["type"] == "message":
                yield message
        raise redis.exceptions.TimeoutError(f"no answer for {MOST_MISSED * PING_SECONDS:g} s")

    def _confirmed(self) -> None:
        again = " again" if self.last_error else ""
        log.log(logging.INFO if again else logging.DEBUG, "Hears Redis%s.", again)
        self.last_error = ""
        self._pause = FIRST_PAUSE
        self.live.set()

    def _lost(self, error: Exception) -> None:
        self.last_error = str(error)
        if self.live.is_set():
            log.error("Lost Redis (%s); new sessions are refused until it is back.", error)
        self.live.clear()

    # What is emitted here

    def _publish(self, data: dict[str, Any]) -> None:
        """Tell the other workers; they go without it when Redis does not take it in time."""
        try:
            self._tell(self.json.dumps(data))
        except Exception as error:
            self._note_untold(error)
        else:
            self._note_told()

    def _tell(self, text: str) -> None:
        """Publish, again where the connection broke.

        Not again where no answer came: a frozen Redis that wakes up takes both.
        """
        try:
            self._tell_once(text)
        except redis.exceptions.ConnectionError:
            self._tell_once(text)

    def _tell_once(self, text: str) -> None:
        if not self.live.wait(timeout=SECONDS_TO_PUBLISH):
            raise redis.exceptions.TimeoutError(self.last_error)
        self.redis.publish(self.channel, text)

    def _note_untold(self, error: Exception) -> None:
        if not self._untold:
            log.error("What is emitted here does not reach the other workers (%s).", error)
        self._untold += 1

    def _note_told(self) -> None:
        if self._untold:
            log.error("The other workers may have missed %d emits.", self._untold)
        self._untold = 0
