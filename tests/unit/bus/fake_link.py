"""A link that sends nothing: a test reads what was asked of it, and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from siocluster.bus.ticket import Reply, Ticket


class FakeLink:
    """Stands for siocluster.bus.link.Link. `channels` are the ones subscribed to now."""

    def __init__(self) -> None:
        self.asked: list[Ticket] = []
        self.channels: set[str] = set()
        self.answers: dict[str, Callable[..., Reply | Exception]] = {}

    def call(
        self,
        name: str,
        *arguments: Any,
        then: Callable[[Reply], None] | None = None,
        first: bool = False,
    ) -> Ticket:
        """Answered at once where the test has said how: by `answers`, from the arguments."""
        ticket = Ticket(name, arguments, then)
        self.asked.append(ticket)
        if name in self.answers:
            reply = self.answers[name](*arguments)
            ticket.fail(reply) if isinstance(reply, Exception) else ticket.answer(reply)
        return ticket

    def wait(self, ticket: Ticket) -> Reply:
        """In these tests all that is waited for has been answered."""
        return ticket.wait(0)

    def subscribe(self, channel: str) -> None:
        self.channels.add(channel)

    def unsubscribe(self, channel: str) -> None:
        self.channels.discard(channel)

    # For the test

    def answer(self, reply: Reply) -> Ticket:
        """To the oldest call that has none."""
        ticket = next(ticket for ticket in self.asked if not ticket.done)
        ticket.answer(reply)
        return ticket

    def calls(self) -> list[tuple[Any, ...]]:
        return [(ticket.name, *ticket.arguments) for ticket in self.asked]
