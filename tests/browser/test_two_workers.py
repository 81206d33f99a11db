"""Two browsers whose people are on two workers, as the page itself shows it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Meet
from tests.browser.person import Person

pytestmark = pytest.mark.browser

ROUTE = re.compile(r"^websocket · (a-[01])$")
TRIES = 10  # browsers until one is on the other worker; where workers take turns, the first is


def worker_of(person: Person) -> str:
    """The worker's label, once the connection has become a WebSocket."""
    expect(person.route).to_have_text(ROUTE)
    found = ROUTE.match(person.route.inner_text())
    assert found
    return found[1]


def come_to_another_worker(meet: Meet, room: str, *, name: str, other: Person) -> Person:
    """Somebody new, who opens the page again until their worker is not that of `other`."""
    for _ in range(TRIES):
        person = meet().come(room, name=name)
        if worker_of(person) != worker_of(other):
            return person
        person.page.close()
    raise AssertionError(f"{name} came to {worker_of(other)} {TRIES} times")


def test_two_people_on_two_workers_chat_both_ways_through_nginx(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = come_to_another_worker(meet, room, name="Ben", other=ada)
    assert {worker_of(ada), worker_of(ben)} == {"a-0", "a-1"}
    assert ada.page.request.get("/").headers["server"] == "nginx"
    ada.say("From my worker to yours")
    expect(ben.line("From my worker to yours")).to_contain_text("Ada")
    ben.say("And back from mine")
    expect(ada.line("And back from mine")).to_contain_text("Ben")
    for person in (ada, ben):
        expect(person.log.locator(".text")).to_have_text(
            ["From my worker to yours", "And back from mine"]
        )
