"""People of one worker: each once, on any number of tabs, with a grace for who may come back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import gevent
import pytest

from siocluster.bus import presence as module
from siocluster.bus.clients import Client
from siocluster.bus.presence import Presence
from siocluster.bus.values import Person
from tests.unit.bus.heard import AGORA, FORUM, NAMES, World

ANN = Person("Ann", {"colour": "blue"})
DATA = json.dumps(["agora", ANN.data])


@dataclass(slots=True)
class House:
    """`told` is what was announced, `saved` what was written to sessions."""

    world: World = field(default_factory=World)
    told: list[tuple[str, str]] = field(default_factory=list)
    saved: list[dict[str, str]] = field(default_factory=list)
    presence: Presence = field(init=False)

    def __post_init__(self) -> None:
        self.world.link.answers |= {
            "arrive": lambda *_: b"1",
            "depart": lambda boot, *people: [DATA.encode()] * (len(people) // 2),
        }
        self.presence = Presence(
            self.world.link,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            NAMES,
            boot="boot0",
            announce=lambda kind, person, data: self.told.append((kind, person)),
            write=lambda pid, generation, **fields: self.saved.append(fields),
        )

    def client(self, name: str, *, pid: str = "", may_return: bool = False) -> Client:
        client = self.world.client(name, AGORA, pid=pid)
        client.may_return = may_return
        return client

    def arrives(self, client: Client, person: Person = ANN, address: str = AGORA) -> None:
        self.presence.arrive(client, address, "agora", person)

    def calls(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.world.link.calls() if call[0] == name]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.01)
    return House()


def grace_is_over() -> None:
    gevent.sleep(0.05)


def test_first_tab_comes_and_last_tab_goes(house: House) -> None:
    tabs = [house.client("tab 1"), house.client("tab 2")]
    house.arrives(tabs[0])
    house.world.link.answers["arrive"] = lambda *_: b"0"
    house.arrives(tabs[1])
    house.presence.gone(tabs[0])
    assert house.told == [("joined", "Ann")]
    house.presence.gone(tabs[1])
    assert house.told == [("joined", "Ann"), ("left", "Ann")]
    assert house.calls("depart") == [("boot0", AGORA, "Ann")]


def test_saying_the_same_again_asks_nothing(house: House) -> None:
    client = house.client("tab")
    house.arrives(client)
    house.arrives(client)
    assert len(house.calls("arrive")) == 1


def test_new_data_of_a_person_is_written_and_nobody_comes_or_goes(house: House) -> None:
    client = house.client("tab")
    house.arrives(client)
    house.world.link.answers["arrive"] = lambda *_: b"0"
    house.arrives(client, Person("Ann", "red"))
    assert house.calls("arrive")[1][-1] == '["agora", "red"]'
    assert house.told == [("joined", "Ann")]


def test_client_that_is_another_person_now_is_not_both(house: House) -> None:
    client = house.client("tab")
    house.arrives(client)
    house.arrives(client, Person("Bob"))
    assert house.told == [("joined", "Ann"), ("left", "Ann"), ("joined", "Bob")]


def test_room_is_left_alone(house: House) -> None:
    client = house.client("tab")
    for address in (AGORA, FORUM):
        house.arrives(client, address=address)
    house.presence.left_room(client, FORUM)
    assert house.calls("depart") == [("boot0", FORUM, "Ann")]
    house.presence.left_room(client, FORUM)
    assert len(house.calls("depart")) == 1


def test_person_that_is_elsewhere_too_is_not_announced(house: House) -> None:
    house.world.link.answers |= {"arrive": lambda *_: b"0", "depart": lambda *_: [b""]}
    client = house.client("tab")
    house.arrives(client)
    house.presence.gone(client)
    assert house.told == []


# Coming back


def test_who_may_come_back_goes_a_little_later(house: House) -> None:
    client = house.client("tab", pid="secret", may_return=True)
    house.arrives(client)
    house.presence.gone(client)
    assert house.told == [("joined", "Ann")]
    grace_is_over()
    assert house.told == [("joined", "Ann"), ("left", "Ann")]


def test_who_comes_back_in_time_has_never_gone(house: House) -> None:
    older = house.client("tab", pid="secret", may_return=True)
    house.arrives(older)
    house.presence.gone(older)
    house.world.link.answers["arrive"] = lambda *_: b"0"
    house.arrives(house.client("tab", pid="secret"))
    grace_is_over()
    assert house.told == [("joined", "Ann")]
    assert house.calls("depart") == []


def test_who_it_was_is_kept_with_the_session_and_put_back(house: House) -> None:
    house.arrives(house.client("tab", pid="secret"))
    assert house.saved == [{f"here {AGORA}": json.dumps(["Ann", DATA])}]
    later = House()
    client = later.client("tab", pid="secret")
    kept = json.dumps(["Ann", DATA])
    later.presence.put_back(client, {AGORA: kept, FORUM: kept})
    gevent.sleep(0)
    assert later.calls("arrive") == [(AGORA, "boot0", "Ann", DATA)]


def test_who_is_put_back_and_gone_at_once_is_not_left_behind(house: House) -> None:
    client = house.client("tab", pid="secret")
    house.presence.put_back(client, {AGORA: json.dumps(["Ann", DATA])})
    house.presence.gone(client)
    client.ended.set()
    grace_is_over()
    arrived, departed = house.calls("arrive"), house.calls("depart")
    assert len(arrived) == len(departed)


def test_room_that_was_left_is_not_put_back(house: House) -> None:
    client = house.client("tab", pid="secret")
    house.arrives(client)
    house.presence.left_room(client, AGORA)
    assert house.saved[-1] == {f"here {AGORA}": ""}


# After a sleep


def test_people_of_a_worker_that_was_given_up_are_announced_as_back(house: House) -> None:
    house.arrives(house.client("tab"))
    house.presence.again(told=True)
    assert house.told == [("joined", "Ann")] * 2


def test_people_that_redis_forgot_are_there_again_without_a_word(house: House) -> None:
    house.arrives(house.client("tab"))
    house.presence.again(told=False)
    assert len(house.calls("arrive")) == 2
    assert house.told == [("joined", "Ann")]


def test_keys_of_people_who_are_here_are_kept(house: House) -> None:
    tabs = [house.client("tab 1"), house.client("tab 2")]
    for tab in tabs:
        house.arrives(tab)
    assert house.presence.kept_names() == ["roster:boot0", f"people:{AGORA}"]
    for tab in tabs:
        house.presence.gone(tab)
    assert house.presence.kept_names() == ["roster:boot0"]
