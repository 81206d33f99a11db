"""Two browsers whose people are on two workers, as the page itself shows it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Meet
from tests.browser.workers import come_to_another_worker, worker_of

pytestmark = pytest.mark.browser


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
