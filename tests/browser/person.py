"""Somebody at the page: what they do, and what they see, by the names a screen reader says."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.integration.waiting import SCALE

MILLISECONDS = 20_000 * SCALE
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

    def wait_for(self, *states: str) -> None:
        """For a state of the line, which the style sheet sees too."""
        wanted = ", ".join(f"[data-link={state}]" for state in states)
        self.page.locator(wanted).wait_for()
