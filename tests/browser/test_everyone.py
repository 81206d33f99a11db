"""For everyone: keyboard, screen reader, 中文, phones, dark and light, still pictures."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Meet
from tests.browser.contrast import contrast, palettes

pytestmark = pytest.mark.browser


def test_the_keyboard_is_enough(meet: Meet, room: str) -> None:
    ada = meet()
    keyboard = ada.page.keyboard
    ada.page.goto("/")
    expect(ada.name).to_be_focused()
    keyboard.type("Ada")
    keyboard.press("Tab")
    keyboard.type(room)
    keyboard.press("Enter")
    expect(ada.box).to_be_focused()
    ada.wait_for("online")
    keyboard.type("one line")
    keyboard.press("Shift+Enter")
    keyboard.type("and another")
    keyboard.press("Enter")
    expect(ada.log.locator(".text")).to_have_text("one line\nand another", use_inner_text=True)
    expect(ada.box).to_be_focused()
    for _ in range(3):  # the conversation, the invite link, the way out
        keyboard.press("Shift+Tab")
    expect(ada.page.get_by_role("button", name="Leave the room")).to_be_focused()
    keyboard.press("Enter")
    expect(ada.name).to_be_focused()


def test_a_key_of_an_input_method_sends_nothing(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.box.fill("ni hao")
    ada.box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "cancelable": True})
    expect(ada.box).to_have_value("ni hao")
    ada.box.press("Enter")
    expect(ada.line("ni hao")).to_have_count(1)


def test_a_screen_reader_hears_who_says_what(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ben = meet().come(room, name="Ben")
    ben.say("first")
    ben.say("second, of the same person")
    expect(ada.log).to_have_attribute("aria-live", "polite")
    expect(ada.line("second, of the same person")).to_contain_text("Ben")
    expect(ada.line("second, of the same person").locator("time")).to_have_attribute(
        "datetime", re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
    )


@pytest.mark.parametrize("locale", ["zh-CN", "zh-TW", "zh"])
def test_a_chinese_browser_meets_a_chinese_page(meet: Meet, locale: str) -> None:
    ada = meet(locale=locale)
    ada.page.goto("/")
    expect(ada.page.get_by_role("heading", name="进来聊聊")).to_be_visible()
    expect(ada.page.locator("html")).to_have_attribute("lang", "zh-Hans")


def test_the_language_switches_in_place_and_is_remembered(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.say("stays as it is")
    ada.box.fill("so does the draft")
    ada.page.get_by_role("button", name="中文").click()
    expect(ada.state).to_have_text("在线")
    expect(ada.notice("你加入了房间")).to_be_visible()
    expect(ada.line("stays as it is")).to_be_visible()
    expect(ada.box).to_have_value("so does the draft")
    ada.page.reload()
    expect(ada.state).to_have_text("在线")


def test_every_sentence_exists_in_every_language(meet: Meet) -> None:
    page = meet().page
    page.goto("/")
    keys = page.evaluate(
        """async () => {
            const { words } = await import("/static/js/words.js");
            return Object.values(words).map((one) => Object.keys(one).sort());
        }"""
    )
    assert len(keys) == 2
    assert keys[0] == keys[1]


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("name", ["A", "W" * 40])
def test_nothing_sticks_out_on_a_phone(meet: Meet, room: str, width: int, name: str) -> None:
    ada = meet(viewport={"width": width, "height": 640}, is_mobile=True, has_touch=True)
    ada.come(room + "-" * 40, name=name)
    ben = meet().come(room + "-" * 40, name=name)
    ben.say("https://example.org/" + "long" * 80)
    ada.say("M" * 300)
    expect(ada.log.get_by_role("article")).to_have_count(2)
    inside, around = ada.page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert inside == around == width
    scroll = ada.page.get_by_role("region", name="Conversation, can be scrolled")
    assert scroll.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0
    expect(ada.box).to_be_in_viewport()


def test_reduced_motion_is_honoured(meet: Meet, room: str) -> None:
    moving = meet().come(room, name="Ada")
    still = meet(reduced_motion="reduce").come(room, name="Ben")
    for person, animation in ((moving, "arrive"), (still, "none")):
        last = person.log.locator(":scope > :last-child")
        expect(last).to_have_css("animation-name", animation)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_dark_and_light(meet: Meet, scheme: str) -> None:
    ada = meet(color_scheme=scheme)
    ada.page.goto("/")
    red, green, blue = (int(part, 16) for part in re.findall("..", palettes()[scheme]["ground"]))
    expect(ada.page.locator("body")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "ground"),
        ("ink", "raised"),
        ("ink", "accent-soft"),
        ("ink-soft", "ground"),
        ("ink-soft", "raised"),
        ("ink-soft", "sunken"),
        ("accent-ink", "accent"),
        ("mine-ink", "mine"),
        ("mine-soft", "mine"),
        ("warm", "warm-soft"),
        ("warm", "ground"),
    ],
)
def test_text_has_the_contrast_that_wcag_asks_for(scheme: str, text: str, ground: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: 4.5 to 1."""
    palette = palettes()[scheme]
    assert contrast(palette[text], palette[ground]) >= 4.5
