"""The way in: a name, a room, one key."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Meet

pytestmark = pytest.mark.browser
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def test_one_key_leads_into_the_lobby(meet: Meet) -> None:
    ada = meet()
    ada.page.goto("/")
    expect(ada.name).to_be_focused()
    ada.page.keyboard.type("Ada")
    ada.page.keyboard.press("Enter")
    expect(ada.page.get_by_role("heading", name="#lobby")).to_be_visible()
    expect(ada.page).to_have_url(re.compile("/r/lobby$"))


def test_a_room_field_leads_elsewhere(meet: Meet, room: str) -> None:
    ada = meet()
    ada.page.goto("/")
    ada.name.fill("Ada")
    ada.place.fill(room)
    ada.page.get_by_role("button", name=f"Enter #{room}").click()
    expect(ada.page).to_have_url(re.compile(f"/r/{room}$"))


def test_the_invite_link_leads_a_friend_here(meet: Meet, room: str) -> None:
    ada = meet(permissions=CLIPBOARD).come(room, name="Ada")
    ada.page.get_by_role("button", name="Copy the invite link").click()
    expect(ada.page.get_by_text("Copied")).to_be_visible()
    link = ada.page.evaluate("() => navigator.clipboard.readText()")
    ben = meet()
    ben.page.goto(link)
    ben.name.fill("Ben")
    ben.name.press("Enter")
    expect(ada.notice("Ben joined")).to_be_visible()


def test_the_name_is_remembered(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.page.goto(f"/r/{room}-two")
    ada.wait_for("online")
    ada.page.goto("/")
    expect(ada.name).to_have_value("Ada")


def test_leave_and_the_browsers_back_lead_out_and_in(meet: Meet, room: str) -> None:
    ada = meet()
    ada.page.goto("/")
    ada.name.fill("Ada")
    ada.place.fill(room)
    ada.name.press("Enter")
    ada.wait_for("online")
    ben = meet().come(room, name="Ben")
    ada.page.go_back()
    expect(ada.name).to_be_visible()
    expect(ben.notice("Ada left")).to_be_visible()
    ada.page.go_forward()
    ada.wait_for("online")
    ada.page.get_by_role("button", name="Leave the room").click()
    expect(ada.page).to_have_url(re.compile("/$"))
    expect(ben.notice("Ada left")).to_have_count(2)


@pytest.mark.parametrize(
    ("room", "problem"),
    [("x" * 65, "room's name is too long"), ("a%01b", "characters that cannot be used")],
)
def test_a_room_that_cannot_be_is_named_at_the_door(meet: Meet, room: str, problem: str) -> None:
    ada = meet()
    ada.page.goto(f"/r/{room}")
    ada.name.fill("Ada")
    ada.name.press("Enter")
    expect(ada.page.get_by_role("alert")).to_contain_text(problem)
    expect(ada.place).to_be_focused()
    expect(ada.name).to_have_value("Ada")


def test_a_name_is_asked_for(meet: Meet) -> None:
    ada = meet()
    ada.page.goto("/")
    ada.name.press("Enter")
    expect(ada.page.get_by_role("alert")).to_have_text("Please enter a name.")


def test_any_script_works_as_a_rooms_name(meet: Meet, room: str) -> None:
    name = f"花园 & más? #{room}"
    ada = meet()
    ada.page.goto("/")
    ada.name.fill("Ada")
    ada.place.fill(name)
    ada.name.press("Enter")
    ada.wait_for("online")
    ben = meet()
    ben.page.goto(ada.page.url)
    ben.name.fill("Ben")
    ben.name.press("Enter")
    expect(ada.notice("Ben joined")).to_be_visible()
