"""What a caller holds while Redis has not answered yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent.event import AsyncResult

Reply = Any  # as hiredis gives it: bytes, int, list, None


class Ticket:
    """One command under way. `then` runs in the link's own greenlet, in Redis's order: it must
    not wait for anything."""

    __slots__ = ("_result", "arguments", "name", "resent", "size", "then", "wanted")

    def __init__(
        self, name: str, arguments: tuple[Any, ...], then: Callable[[Reply], None] | None
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.then = then
        self.size = sum(len(part) for part in arguments if isinstance(part, str | bytes))
        self.resent = False  # its connection was lost before the answer
        self.wanted = True  # False: given up by its caller, is not sent (again)
        self._result: AsyncResult[Reply] = AsyncResult()

    @property
    def done(self) -> bool:
        return self._result.ready()

    def wait(self, seconds: float | None = None) -> Reply:
        """The reply; raises what `fail` was given, gevent.Timeout when `seconds` are over."""
        return self._result.get(timeout=seconds)

    def join(self, seconds: float) -> None:
        """Wait for the reply, whatever it is, but no longer."""
        self._result.wait(seconds)

    def answer(self, reply: Reply) -> None:
        if self.then is not None:
            self.then(reply)
        self._result.set(reply)

    def fail(self, error: Exception) -> None:
        self._result.set_exception(error)
