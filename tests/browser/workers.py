"""Which worker somebody is on, as their page shows it, and how to be on another."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import Person

ROUTE = re.compile(r"^websocket · (a-[01])$")
TRIES = 10  # browsers until one is on the other worker; where workers take turns, the first is


def worker_of(person: Person) -> str:
    """The worker's label, once the connection has become a WebSocket."""
    expect(person.route).to_have_text(ROUTE)
    found = ROUTE.match(person.route.inner_text())
    assert found
    return found[1]


def slot_of(person: Person) -> int:
    return int(worker_of(person).removeprefix("a-"))


def come_to_another_worker(
    meet: Callable[..., Person], room: str, *, name: str, other: Person
) -> Person:
    """Somebody new, who opens the page again until their worker is not that of `other`."""
    for _ in range(TRIES):
        person = meet().come(room, name=name)
        if worker_of(person) != worker_of(other):
            return person
        person.page.close()
    raise AssertionError(f"{name} came to {worker_of(other)} {TRIES} times")
