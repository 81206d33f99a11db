"""What was said before one came."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Meet
from tests.browser.crowd import lines, say_all
from tests.browser.person import Person

pytestmark = pytest.mark.browser


def test_who_comes_reads_the_last_that_was_said(meet: Meet, chat_url: str, room: str) -> None:
    say_all(chat_url, room, lines(60))
    ada = meet().come(room, name="Ada")
    expect(ada.texts).to_have_text(lines(50, start=11))
    expect(ada.line("line 60")).to_be_in_viewport()
    expect(ada.line("line 60")).to_contain_text("Crowd")
    expect(ada.log.locator(".day")).to_have_text("Today")
    expect(ada.page.get_by_role("button", name="new")).to_have_count(0)


def test_what_one_said_oneself_is_still_one_s_own(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.say("From before")
    expect(ada.texts).to_have_text(["From before"])
    ada.page.reload()
    expect(ada.line("From before")).to_contain_text("You")
    expect(ada.texts).to_have_text(["From before"])


def test_scrolling_up_loads_what_is_older_and_keeps_the_place(
    meet: Meet, chat_url: str, room: str
) -> None:
    say_all(chat_url, room, lines(120))
    ada = meet().come(room, name="Ada")
    expect(ada.texts).to_have_count(50)
    before = scroll_to_start(ada, seen="line 73")
    expect(ada.texts).to_have_count(100)
    assert top_of(ada, "line 73") == pytest.approx(before, abs=1)
    before = scroll_to_start(ada, seen="line 23")
    expect(ada.texts).to_have_text(lines(120))
    assert top_of(ada, "line 23") == pytest.approx(before, abs=1)
    scroll_to_start(ada, seen="line 1")
    expect(ada.page.get_by_text("Nothing older is kept here.")).to_be_visible()


def test_the_keyboard_loads_older_ones_too(meet: Meet, chat_url: str, room: str) -> None:
    say_all(chat_url, room, lines(60))
    ada = meet().come(room, name="Ada")
    ada.page.get_by_role("button", name="Older messages").press("Enter")
    expect(ada.texts).to_have_text(lines(60))


def test_what_is_said_while_one_reads_back_does_not_move_the_page(
    meet: Meet, chat_url: str, room: str
) -> None:
    say_all(chat_url, room, lines(60))
    ada = meet().come(room, name="Ada")
    scroll_to_start(ada, seen="line 11")
    expect(ada.texts).to_have_count(60)
    before = top_of(ada, "line 11")
    say_all(chat_url, room, ["and one more"])
    expect(ada.page.get_by_role("button", name="1 new")).to_be_visible()
    assert top_of(ada, "line 11") == pytest.approx(before, abs=1)


def top_of(person: Person, text: str) -> float:
    box = person.line(text).bounding_box()
    assert box
    return box["y"]


def scroll_to_start(person: Person, *, seen: str) -> float:
    """Up to the first line there is; where the line `seen` is then, before older ones have come."""
    top = person.page.evaluate(
        """(seen) => {
            document.getElementById("scroll").scrollTop = 0;
            const texts = Array.from(document.querySelectorAll("#log .text"));
            const line = texts.find((one) => one.textContent === seen).closest("article");
            return line.getBoundingClientRect().top;
        }""",
        seen,
    )
    assert isinstance(top, float | int)
    return top
