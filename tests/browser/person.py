"""Somebody at the page: what they do, and what they see, by the names a screen reader says."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.integration.waiting import SCALE

MILLISECONDS = 20_000 * SCALE
PAUSE = 20  # milliseconds
expect.set_options(timeout=MILLISECONDS)


class Person:
    def __init__(self, page: Page) -> None:
        page.set_default_timeout(MILLISECONDS)
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    # What they do

    def come(self, room: str, *, name: str) -> Person:
        """By the link of the room, with a name to type, until they are online."""
        self.page.goto(f"/r/{room}")
        self.name.fill(name)
        self.name.press("Enter")
        self.wait_for("online")
        return self

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def go_offline(self) -> None:
        self.page.context.set_offline(True)
        self.wait_for("offline")

    def come_back(self) -> None:
        self.page.context.set_offline(False)
        self.wait_for("back", "online")

    def another_tab(self, room: str) -> Person:
        """The same person once more, in the same browser."""
        tab = Person(self.page.context.new_page())
        tab.page.goto(f"/r/{room}")
        tab.wait_for("online")
        return tab

    def look(self, room: str) -> None:
        """At a room beside this one, which opens, until they are in it."""
        self.elsewhere.fill(room)
        self.elsewhere.press("Enter")
        expect(self.page.get_by_role("heading", name=f"#{room}", exact=True)).to_be_visible()
        expect(self.notice("You joined")).to_be_visible()

    # What they see

    @property
    def name(self) -> Locator:
        return self.page.get_by_label(re.compile("^(Your name|你的名字)$"))

    @property
    def place(self) -> Locator:
        """Where the door asks for a room."""
        return self.page.get_by_role("textbox", name=re.compile("^(Room|房间)$"))

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^(Message|消息)$"))

    @property
    def elsewhere(self) -> Locator:
        """Where one opens another room, from within one."""
        return self.page.get_by_role("textbox", name="Another room")

    @property
    def rooms(self) -> Locator:
        return self.page.get_by_role("navigation", name="Rooms").get_by_role("listitem")

    @property
    def people(self) -> Locator:
        return self.page.get_by_role("region", name=re.compile("^Here now")).get_by_role("listitem")

    @property
    def news(self) -> Locator:
        """The sentence about the line."""
        return self.page.locator("#news")

    @property
    def texts(self) -> Locator:
        """What was said and is stored, in its order."""
        return self.log.locator(".text")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def waiting(self) -> Locator:
        """Messages that have not arrived."""
        return self.page.get_by_role("group", name=re.compile("^(Not sent yet|尚未发送)$"))

    @property
    def state(self) -> Locator:
        return self.page.get_by_role("status").first

    @property
    def route(self) -> Locator:
        """The small line with the transport and the worker."""
        return self.page.locator("#route")

    def line(self, text: str) -> Locator:
        return self.log.get_by_role("article").filter(has=self.page.get_by_text(text, exact=True))

    def notice(self, text: str) -> Locator:
        return self.log.locator(".notice", has_text=text)

    def wait_until(self, condition: Callable[[], object], *, words: str) -> None:
        """As tests.integration.waiting has it, while Playwright goes on working."""
        deadline = time.monotonic() + MILLISECONDS / 1000
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {words}"
            self.page.wait_for_timeout(PAUSE)

    def wait_for(self, *states: str) -> None:
        """For a state of the line, which the style sheet sees too."""
        wanted = ", ".join(f"[data-link={state}]" for state in states)
        self.page.locator(wanted).wait_for()
