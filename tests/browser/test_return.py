"""Coming back: nothing lost, nothing twice, and the page says which it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import CHAT, Meet
from tests.browser.crowd import lines, say_all
from tests.browser.person import Person
from tests.browser.workers import come_to_another_worker, slot_of
from tests.integration.chat_alone import start_alone
from tests.integration.cluster import Cluster, kill, start_cluster
from tests.integration.test_frozen_redis import frozen_redis
from tests.integration.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def forgetful() -> Iterator[Cluster]:
    """A chat that makes good five events of a room, and no more."""
    with start_cluster(CHAT, options=["--recovery-events", "5"]) as cluster:
        yield cluster


def kill_worker_of(person: Person, chat: Cluster) -> None:
    """SIGKILL, and the next one of its slot has come."""
    slot = slot_of(person)
    pid = chat.worker_pid(slot)
    assert pid
    kill(pid)
    wait_until(lambda: chat.worker_pid(slot) not in (None, pid), words="the next worker")
    chat.wait_until_ready([slot])


def listening_for(sign: str, heard: list[str]) -> Callable[[str | bytes | None], None]:
    """Keeps what contains the sign."""

    def note(sent: str | bytes | None) -> None:
        if sign in str(sent):
            heard.append(str(sent))

    return note


def stay_away(person: Person, chat_url: str, room: str, texts: list[str]) -> None:
    person.go_offline()
    say_all(chat_url, room, texts)
    person.come_back()


def test_who_comes_back_is_told_how_much_came_meanwhile(
    meet: Meet, chat_url: str, room: str
) -> None:
    ada = meet().come(room, name="Ada")
    ada.go_offline()
    expect(ada.news).to_contain_text("You are offline")
    say_all(chat_url, room, lines(3))
    ada.come_back()
    expect(ada.news).to_have_text("Caught up: 3 messages came while you were away.")
    expect(ada.texts).to_have_text(lines(3))
    expect(ada.news).to_be_hidden()
    expect(ada.state).to_have_text("Online")


def test_a_recovered_line_joins_nothing_again(meet: Meet, chat: Cluster, room: str) -> None:
    ada = meet()
    joins: list[str] = []
    note = listening_for('"join"', joins)
    ada.page.on("request", lambda request: note(request.post_data))
    ada.page.on("websocket", lambda line: line.on("framesent", note))
    ada.come(room, name="Ada")
    assert len(joins) == 1
    kill_worker_of(ada, chat)
    ada.wait_for("back", "online")
    ada.say("No need to join")
    expect(ada.texts).to_have_text(["No need to join"])
    expect(ada.people).to_have_count(1)
    assert len(joins) == 1


def test_who_missed_nothing_is_told_so(meet: Meet, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.go_offline()
    ada.come_back()
    expect(ada.news).to_have_text("You are back, and missed nothing.")


def test_a_worker_killed_amid_the_talk_loses_nothing_and_doubles_nothing(
    meet: Meet, chat: Cluster, room: str
) -> None:
    ada = meet().come(room, name="Ada")
    ben = come_to_another_worker(meet, room, name="Ben", other=ada)
    for number in range(5):
        ada.say(f"before {number}")
    kill_worker_of(ada, chat)
    ben.say("meanwhile")
    ada.say("after it")
    expected = [f"before {number}" for number in range(5)]
    for person in (ada, ben):
        expect(person.texts).to_have_count(7)
    assert ada.texts.all_inner_texts() == ben.texts.all_inner_texts()
    assert [text for text in ben.texts.all_inner_texts() if text != "meanwhile"] == [
        *expected,
        "after it",
    ]
    expect(ada.waiting.get_by_role("article")).to_have_count(0)
    expect(ben.notice("Ada left")).to_have_count(0)


def test_what_was_stored_without_an_answer_is_not_doubled_by_a_return(
    meet: Meet, chat: Cluster, room: str
) -> None:
    ada = meet()
    dropped: list[str] = []

    def pass_on(packet: str | bytes, route: WebSocketRoute) -> None:
        """All but what tells of the message, until the worker is dead."""
        is_lost = "message_id" in str(packet) and len(dropped) < 2
        dropped.append(str(packet)) if is_lost else route.send(packet)

    def listen(route: WebSocketRoute) -> None:
        route.connect_to_server().on_message(lambda packet: pass_on(packet, route))

    ada.page.route_web_socket("**/socket.io/**", listen)
    ada.come(room, name="Ada")
    slot_of(ada)
    ada.say("stored unseen")
    ada.wait_until(lambda: len(dropped) == 2, words="the lost answer")
    kill_worker_of(ada, chat)
    ada.wait_for("back", "online")
    expect(ada.texts).to_have_text(["stored unseen"])
    expect(ada.waiting.get_by_role("article")).to_have_count(0)
    ben = meet().come(room, name="Ben")
    expect(ben.texts).to_have_text(["stored unseen"])


def test_what_is_said_while_redis_is_silent_says_so_and_is_stored_once(
    meet: Meet, chat: Cluster, room: str
) -> None:
    ada = meet().come(room, name="Ada")
    ben = come_to_another_worker(meet, room, name="Ben", other=ada)
    with frozen_redis(chat):
        ada.say("into the silence")
        ada.say("and after it")
        expect(ada.waiting).to_contain_text("no answer yet, trying again")
        expect(ada.waiting.get_by_role("img", name="Sending")).to_have_count(2)
    for person in (ada, ben):
        expect(person.texts).to_have_text(["into the silence", "and after it"])
    expect(ada.waiting.get_by_role("article")).to_have_count(0)


def test_who_was_away_too_long_has_the_history_loaded_anew_and_is_told(
    meet: Meet, forgetful: Cluster, room: str
) -> None:
    ada = meet(base_url=forgetful.url).come(room, name="Ada")
    ada.say("long ago")
    expect(ada.texts).to_have_count(1)
    stay_away(ada, forgetful.url, room, lines(60))
    expect(ada.news).to_contain_text("away too long to catch up")
    expect(ada.texts).to_have_text(lines(50, start=11))
    scroll = ada.page.locator("#scroll")
    scroll.evaluate("(one) => { one.scrollTop = 0; }")
    expect(ada.texts).to_have_text(["long ago", *lines(60)])


def test_a_history_that_reaches_back_leaves_no_gap_and_is_no_reload(
    meet: Meet, forgetful: Cluster, room: str
) -> None:
    ada = meet(base_url=forgetful.url).come(room, name="Ada")
    ada.say("before")
    expect(ada.texts).to_have_count(1)
    stay_away(ada, forgetful.url, room, lines(20))
    expect(ada.news).to_have_text("Caught up: 20 messages came while you were away.")
    expect(ada.texts).to_have_text(["before", *lines(20)])


def test_a_chat_without_the_runner_catches_up_by_its_history(meet: Meet, room: str) -> None:
    with start_alone() as alone:
        ada = meet(base_url=alone.url).come(room, name="Ada")
        ada.say("before")
        expect(ada.texts).to_have_count(1)
        stay_away(ada, alone.url, room, lines(3))
        expect(ada.news).to_have_text("Caught up: 3 messages came while you were away.")
        expect(ada.texts).to_have_text(["before", *lines(3)])
        ada.page.close()


def test_every_open_room_catches_up(meet: Meet, chat_url: str, room: str) -> None:
    ada = meet().come(room, name="Ada")
    ada.look(f"{room}-two")
    ada.go_offline()
    say_all(chat_url, room, ["in one"])
    say_all(chat_url, f"{room}-two", ["in two"])
    ada.come_back()
    expect(ada.news).to_have_text("Caught up: 2 messages came while you were away.")
    expect(ada.texts).to_have_text(["in two"])
    ada.rooms.get_by_role("button", name=f"#{room}", exact=False).first.click()
    expect(ada.texts).to_have_text(["in one"])
