"""A real Chromium on the real page."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.person import Person
from tests.integration.cluster import Cluster, start_cluster

CHAT = "siocluster.chatapp:socketio"
# Quiet, and nothing that would look for the world outside.
CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Meet = Callable[..., Person]


@pytest.fixture(scope="session")
def chat() -> Iterator[Cluster]:
    """The bundled chat on two workers, through nginx. Whoever kills a worker waits for the next."""
    with start_cluster(CHAT) as cluster:
        yield cluster


@pytest.fixture
def chat_url(chat: Cluster) -> str:
    return chat.url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("SIOCLUSTER_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, "no Chromium: name one by SIOCLUSTER_TEST_CHROMIUM, or run `make test`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM_OPTIONS])
        yield browser
        browser.close()


@pytest.fixture
def room() -> str:
    return f"room-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def meet(chromium: Browser, chat_url: str) -> Iterator[Meet]:
    """A person with a browser of their own: `meet(locale="zh-CN")`, with Playwright's options.

    Whatever the page did not handle fails the test at its end.
    """
    people: list[Person] = []

    def met(**options: object) -> Person:
        context = chromium.new_context(**{"base_url": chat_url, "locale": "en-GB", **options})
        person = Person(context.new_page())
        people.append(person)
        return person

    yield met
    for person in people:
        person.page.context.close()
    assert [error for person in people for error in person.errors] == []
