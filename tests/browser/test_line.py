"""The line to the server: shown always, and nothing that one writes is lost with it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import Meet

pytestmark = pytest.mark.browser


def test_the_state_of_the_line_is_shown(meet: Meet, room: str) -> None:
    ada = meet()
    ada.page.route("**/socket.io/**", lambda route: None)  # held until it is taken away
    ada.page.goto(f"/r/{room}")
    ada.name.fill("Ada")
    ada.name.press("Enter")
    expect(ada.state).to_have_text("Connecting")
    ada.page.unroute("**/socket.io/**")
    expect(ada.state).to_have_text("Online")
    ada.go_offline()
    expect(ada.state).to_have_text("Offline")
    ada.page.context.set_offline(False)
    expect(ada.state).to_have_text("Back online")
    expect(ada.state).to_have_text("Online")


def test_transport_and_worker_are_shown(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    expect(ada.route).to_have_text(re.compile(r"^websocket · a-[01]$"))
    ada.go_offline()
    expect(ada.route).to_have_text("")


def test_a_draft_survives_a_reconnect(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.box.fill("Half a sent")
    ada.go_offline()
    ada.box.press_sequentially("ence")
    ada.come_back()
    expect(ada.box).to_have_value("Half a sentence")
    expect(ada.box).to_be_focused()


def test_what_is_said_offline_arrives_once_and_in_order(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ada.go_offline()
    for text in ("one", "two", "three"):
        ada.say(text)
    expect(ada.waiting.get_by_role("article")).to_have_count(3)
    expect(ada.waiting).to_contain_text("waiting to be sent")
    ada.come_back()
    expect(ben.log.locator(".text")).to_have_text(["one", "two", "three"])
    expect(ada.log.locator(".text")).to_have_text(["one", "two", "three"])
    expect(ada.waiting.get_by_role("article")).to_have_count(0)


def test_what_is_said_again_for_want_of_an_answer_is_shown_once(meet: Meet, room: str) -> None:
    ada = meet()
    dropped: list[str] = []

    def pass_on(packet: str | bytes, route: WebSocketRoute) -> None:
        """All but the telling of the first message, and its ack."""
        is_lost = "message_id" in str(packet) and len(dropped) < 2
        dropped.append(str(packet)) if is_lost else route.send(packet)

    def listen(route: WebSocketRoute) -> None:
        route.connect_to_server().on_message(lambda packet: pass_on(packet, route))

    ada.page.route_web_socket("**/socket.io/**", listen)
    ada.come(room, name="Ada")
    expect(ada.route).to_contain_text("websocket")
    ben = meet().come(room, name="Ben")
    ada.say("once")
    ada.say("and after it")
    expect(ben.line("and after it")).to_be_visible()
    assert sorted(packet[:2] for packet in dropped) == ["42", "43"]
    for person in (ada, ben):
        expect(person.log.locator(".text")).to_have_text(["once", "and after it"])
    expect(ada.waiting.get_by_role("article")).to_have_count(0)
    expect(ada.state).to_have_text("Online")


def test_draft_and_waiting_messages_survive_a_reload(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ada.go_offline()
    ada.say("Written in the tunnel")
    ada.box.fill("and a draft")
    ada.page.context.set_offline(False)
    ada.page.reload()
    ada.wait_for("online")
    expect(ben.line("Written in the tunnel")).to_have_count(1)
    expect(ada.box).to_have_value("and a draft")


def test_what_the_server_refuses_can_be_taken_back(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.say("a bell \x07 rings")
    expect(ada.waiting).to_contain_text("characters that cannot be sent")
    ada.say("This one is sent all the same")
    expect(ada.line("This one is sent all the same")).to_be_visible()
    ada.waiting.get_by_role("button", name="Edit").click()
    expect(ada.box).to_have_value("a bell \x07 rings")
    expect(ada.waiting.get_by_role("article")).to_have_count(0)


def test_a_text_that_is_too_long_stays_in_the_box(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.box.fill("x" * 4001)
    expect(ada.page.get_by_text("4001 / 4000")).to_be_visible()
    expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()
    ada.box.press("Enter")
    expect(ada.box).to_have_value("x" * 4001)
    ada.box.press("Backspace")
    ada.box.press("Enter")
    expect(ada.line("x" * 4000)).to_be_visible()
