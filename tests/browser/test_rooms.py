"""Several rooms over one connection, and who is here."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import WebSocket, WebSocketRoute, expect

from tests.browser.conftest import Meet
from tests.browser.workers import come_to_another_worker

pytestmark = pytest.mark.browser


def test_rooms_share_one_connection_and_keep_to_themselves(meet: Meet, room: str) -> None:
    other = f"{room}-two"
    ada = meet()
    opened: list[WebSocket] = []
    ada.page.on("websocket", lambda socket: opened.append(socket))
    ada.come(room, name="Ada")
    ada.say("Only here")
    ada.look(other)
    expect(ada.texts).to_have_count(0)
    ada.say("Only there")
    expect(ada.texts).to_have_text(["Only there"])
    expect(ada.page).to_have_url(re.compile(f"/r/{other}$"))
    ada.page.go_back()
    expect(ada.texts).to_have_text(["Only here"])
    expect(ada.rooms).to_have_count(2)
    assert len(opened) == 1


def test_a_room_out_of_view_shows_how_much_is_new(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ada.look(f"{room}-two")
    ben.say("Ada?")
    ben.say("Where are you?")
    button = ada.rooms.get_by_role("button", name=re.compile(f"^#{room} ?2 new$"))
    button.click()
    expect(ada.texts).to_have_text(["Ada?", "Where are you?"])
    expect(ada.rooms.get_by_text("new")).to_have_count(0)


def test_leaving_one_room_stays_in_the_other(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ada.look(f"{room}-two")
    ada.rooms.get_by_role("button").first.click()
    ada.page.get_by_role("button", name="Leave the room").click()
    expect(ben.notice("Ada left")).to_be_visible()
    expect(ben.people).to_have_count(1)
    expect(ada.page.get_by_role("heading", name=f"#{room}-two")).to_be_visible()
    expect(ada.rooms).to_have_count(1)


def test_open_rooms_outlive_a_reload(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.look(f"{room}-two")
    ada.page.reload()
    ada.wait_for("online")
    expect(ada.rooms).to_have_text([f"#{room}", f"#{room}-two"])
    expect(ada.page.get_by_role("heading", name=f"#{room}-two")).to_be_visible()


def test_a_room_that_cannot_be_is_named_and_the_others_stay(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.elsewhere.fill("a/b")
    ada.elsewhere.press("Enter")
    expect(ada.page.get_by_role("alert")).to_contain_text("cannot be used")
    expect(ada.page.get_by_role("heading", name=f"#{room}")).to_be_visible()
    expect(ada.rooms).to_have_count(1)


def test_one_person_in_two_tabs_on_two_workers_is_here_once(meet: Meet, room: str) -> None:
    ben = meet().come(room, name="Ben")
    ada = come_to_another_worker(meet, room, name="Ada", other=ben)
    expect(ben.people).to_have_text([re.compile("Ben · You$"), re.compile("Ada$")])
    notices = ben.notice("Ada joined").count()
    tab = ada.another_tab(room)
    tab.say("From the second tab")
    expect(ben.line("From the second tab")).to_be_visible()
    expect(ben.people).to_have_count(2)
    expect(ben.notice("Ada joined")).to_have_count(notices)
    ada.page.close()
    tab.say("Still here")
    expect(ben.line("Still here")).to_be_visible()
    expect(ben.people).to_have_count(2)
    tab.page.close()
    expect(ben.people).to_have_count(1)


def test_namesakes_are_told_apart_in_the_list_and_by_whom_they_come(meet: Meet, room: str) -> None:
    ben = meet().come(room, name="Ben")
    for _ in range(2):
        meet().come(room, name="Ada")
    expect(ben.people).to_have_count(3)
    tags = ben.people.locator(".tag")
    expect(tags).to_have_text([re.compile("^[0-9a-f]{3}$")] * 2)
    assert len(set(tags.all_inner_texts())) == 2


def test_a_phone_shows_rooms_and_people_on_demand(meet: Meet, room: str) -> None:
    ada = meet(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    ada.come(room, name="Ada")
    toggle = ada.page.get_by_role("button", name="Rooms and people")
    expect(ada.people).to_have_count(0)
    toggle.tap()
    expect(ada.people).to_have_count(1)
    ada.page.keyboard.press("Escape")
    expect(ada.people).to_have_count(0)
    expect(toggle).to_be_focused()


def test_who_writes_too_fast_is_slowed_and_loses_nothing(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    said = [f"quick {number}" for number in range(30)]
    for text in said:
        ada.say(text)
    expect(ada.texts).to_have_text(said)
    expect(ada.waiting.get_by_role("article")).to_have_count(0)


def test_own_lines_show_that_they_are_stored(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ada.go_offline()
    ada.say("Written in the tunnel")
    pending = ada.waiting.get_by_role("article")
    expect(pending.get_by_role("img", name="Sending")).to_be_visible()
    ada.come_back()
    line = ada.line("Written in the tunnel")
    expect(line.get_by_role("img", name="Stored")).to_be_visible()
    expect(ben.line("Written in the tunnel").get_by_role("img")).to_have_count(0)


def test_what_cannot_be_stored_just_now_can_be_sent_again(meet: Meet, room: str) -> None:
    """The answer on its way is changed: the server cannot be made to fail for one alone."""
    ada = meet()
    changed: list[str] = []

    def pass_on(packet: str | bytes, route: WebSocketRoute) -> None:
        text = str(packet)
        if "message_id" not in text or len(changed) == 2:
            route.send(packet)
            return
        changed.append(text)
        if answer := re.match(r"43\d+", text):
            route.send(f'{answer[0]}[{{"ok":false,"code":"not_stored","error":"Try again."}}]')

    def listen(route: WebSocketRoute) -> None:
        route.connect_to_server().on_message(lambda packet: pass_on(packet, route))

    ada.page.route_web_socket("**/socket.io/**", listen)
    ada.come(room, name="Ada")
    expect(ada.route).to_contain_text("websocket")
    ada.say("Keep this")
    expect(ada.waiting).to_contain_text("could not keep this just now")
    ada.waiting.get_by_role("button", name="Try again").click()
    expect(ada.texts).to_have_text(["Keep this"])
    expect(ada.waiting.get_by_role("article")).to_have_count(0)
