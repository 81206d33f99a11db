"""Two browsers in one room."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Meet

pytestmark = pytest.mark.browser


def test_two_people_read_each_other(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    expect(ada.notice("Ben joined")).to_be_visible()
    ada.say("Good morning")
    expect(ben.line("Good morning")).to_contain_text("Ada")
    ben.say("And to you")
    expect(ada.line("And to you")).to_contain_text("Ben")
    ben.page.close()
    expect(ada.notice("Ben left")).to_be_visible()


def test_own_lines_differ_from_those_of_others(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ada.say("Mine to me")
    expect(ada.line("Mine to me")).to_have_class(re.compile(r"\bmine\b"))
    expect(ada.line("Mine to me")).to_contain_text("You")
    expect(ben.line("Mine to me")).not_to_have_class(re.compile(r"\bmine\b"))


def test_namesakes_are_told_apart(meet: Meet, room: str) -> None:
    one = meet().come(room, name="Ada")
    two = meet().come(room, name="Ada")
    one.say("I am the first")
    two.say("I am the second")
    expect(two.line("I am the first")).not_to_have_class(re.compile(r"\bmine\b"))
    expect(two.line("I am the first").locator(".tag")).to_have_text(re.compile("^[0-9a-f]{3}$"))
    expect(one.line("I am the second")).not_to_have_class(re.compile(r"\bmine\b"))


def test_a_person_is_the_same_in_two_tabs(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    with ada.page.context.expect_page() as opened:
        ada.page.context.new_page()
    tab = type(ada)(opened.value)
    tab.page.goto(f"/r/{room}")
    tab.wait_for("online")
    tab.say("From the other tab")
    expect(ada.line("From the other tab")).to_have_class(re.compile(r"\bmine\b"))


def test_text_of_people_is_never_markup(meet: Meet, room: str) -> None:
    name = "<i>Eve</i>"
    text = "<img src=x onerror=alert(1)> <b>bold</b> &amp; <script>1</script>"
    ada = meet().come(room, name="Ada")
    eve = meet().come(room, name=name)
    eve.say(text)
    expect(ada.line(text)).to_contain_text(name)
    expect(ada.notice(f"{name} joined")).to_be_visible()
    assert ada.log.locator("i, b, img, script").count() == 0


def test_only_web_links_become_links(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.say("See https://example.org/a?b=1, not javascript:alert(1).")
    link = ada.log.get_by_role("link")
    expect(link).to_have_text("https://example.org/a?b=1")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    assert link.count() == 1


def test_a_line_break_and_spaces_are_kept(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ada.say("first\n    second")
    expect(ben.log.locator(".text")).to_have_text("first\n    second", use_inner_text=True)


def test_reading_back_is_not_disturbed_by_new_lines(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    for number in range(30):
        ben.say(f"line {number}")
    expect(ada.line("line 29")).to_be_in_viewport()
    ada.log.locator(".notice").first.scroll_into_view_if_needed()
    ben.say("one more")
    newer = ada.page.get_by_role("button", name="1 new")
    expect(newer).to_be_visible()
    expect(ada.line("one more")).not_to_be_in_viewport()
    newer.click()
    expect(ada.line("one more")).to_be_in_viewport()
    expect(newer).to_be_hidden()
