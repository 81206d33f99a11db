"""Replay: all that fell into a client's stays and nothing else, or the word that some are gone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from siocluster.bus.clients import Client
from siocluster.bus.message import CLOSE, DISCONNECT, ENTER, LEAVE, Head, Message
from siocluster.bus.replay import Incomplete, Replay
from siocluster.bus.sessions import Session, Stay
from tests.unit.bus.fake_log import FakeReader
from tests.unit.bus.heard import AGORA, EPOCH, FORUM, World, message

OWN, SPACE = "s:a0-x", "n:/"


@dataclass(slots=True)
class Return:
    """A client that comes back, to a worker and logs that a test has filled."""

    world: World = field(default_factory=World)
    reader: FakeReader = field(default_factory=FakeReader)
    now: int = 1000

    def read(self, session: Session) -> list[int]:
        """Numbers of what it missed."""
        client = self.world.client(session.sid, pid=session.pid)
        client.held = []
        self.world.link.answers["heads"] = self._heads
        replay = Replay(self.world.link, self.reader, self.world.channels, place="a0")  # type: ignore[arg-type]
        return [found.number for found in replay.read(session, client)]

    def client(self) -> Client:
        client = self.world.clients.get("a0-x")
        assert client
        return client

    def _heads(self, place: str, *addresses: str) -> list[bytes]:
        newest = [str(self.reader.newest(address)).encode() for address in addresses]
        return [str(self.now).encode(), EPOCH.encode(), b"0", *newest]


@pytest.fixture
def back() -> Return:
    return Return()


def session(position: int, *, start: int = 0, **rooms: list[Stay]) -> Session:
    addresses = {"agora": AGORA, "forum": FORUM}
    return Session(
        pid="secret",
        sid="a0-x",
        generation=2,
        epoch=EPOCH,
        older_boot="boot0",
        older_is_open=False,
        position=position,
        start=start,
        rooms={addresses[name]: stays for name, stays in rooms.items()},
    )


def moved(number: int, kind: str, room: object = "agora") -> Message:
    """What another worker did to the client."""
    return Message(number, EPOCH, Head(kind=kind, targets=(OWN,), room=room))


# What was missed


def test_all_that_was_missed_comes_by_number_over_all_logs(back: Return) -> None:
    back.reader.write(message(11, AGORA), message(12, OWN), message(13, SPACE), message(14, FORUM))
    back.reader.write(message(15, AGORA), message(16, OWN))
    stays = [Stay(5, None)]
    assert back.read(session(11, agora=stays, forum=stays)) == [12, 13, 14, 15, 16]


def test_event_to_several_of_its_rooms_comes_once(back: Return) -> None:
    back.reader.write(message(11, AGORA, FORUM), message(12, AGORA, SPACE, OWN))
    stays = [Stay(5, None)]
    assert back.read(session(10, agora=stays, forum=stays)) == [11, 12]


def test_nothing_comes_from_before_a_join_or_after_a_leave(back: Return) -> None:
    back.reader.write(*(message(number, AGORA) for number in range(11, 31)))
    stays = [Stay(12, 14), Stay(20, 22), Stay(29, None)]
    assert back.read(session(10, agora=stays)) == [13, 14, 21, 22, 30]


def test_nothing_comes_from_before_the_session(back: Return) -> None:
    back.reader.write(*(message(number, SPACE, OWN) for number in range(11, 16)))
    assert back.read(session(13, start=13)) == [14, 15]


def test_what_comes_after_the_heads_is_left_to_live_delivery(back: Return) -> None:
    back.reader.write(message(11, AGORA))
    back.reader.before_reading = lambda: back.reader.write(message(1001, AGORA))
    assert back.read(session(10, agora=[Stay(5, None)])) == [11]
    assert back.client().start == 1000
    back.world.delivery.high = 1000
    back.world.delivery.take(message(1001, AGORA, previous=11))
    assert [packet.data for packet in back.client().held or []] == ["1001@"]


def test_client_is_a_member_of_its_open_rooms_from_the_heads_on(back: Return) -> None:
    back.read(session(10, agora=[Stay(5, None)], forum=[Stay(5, 8)]))
    open_here = {channel.address: channel.members for channel in back.world.channels}
    assert open_here == {AGORA: {back.client(): 1000}, SPACE: {back.client(): 1000}}


def test_client_of_a_quiet_room_has_missed_nothing_and_nothing_is_read(back: Return) -> None:
    back.reader.write(message(9, AGORA), trimmed=8)
    assert back.read(session(10, agora=[Stay(5, None)])) == []
    assert back.reader.read == []


def test_room_that_was_left_before_the_position_is_not_read(back: Return) -> None:
    back.reader.write(message(11, AGORA), trimmed=10)
    assert back.read(session(10, agora=[Stay(5, 8)])) == []


# Incomplete


@pytest.mark.parametrize("log", [AGORA, SPACE, OWN])
def test_log_that_does_not_reach_back_far_enough_is_incomplete(back: Return, log: str) -> None:
    back.reader.write(message(12, log), trimmed=11)
    with pytest.raises(Incomplete, match="more was missed"):
        back.read(session(10, agora=[Stay(5, None)]))


def test_log_that_begins_with_what_came_next_is_complete(back: Return) -> None:
    back.reader.write(message(12, AGORA), trimmed=10)
    assert back.read(session(10, agora=[Stay(5, None)])) == [12]


def test_log_that_was_trimmed_before_the_join_is_complete(back: Return) -> None:
    back.reader.write(message(22, AGORA), trimmed=20)
    assert back.read(session(10, agora=[Stay(20, None)])) == [22]


def test_client_that_was_disconnected_meanwhile_does_not_go_on(back: Return) -> None:
    back.reader.write(moved(11, DISCONNECT))
    with pytest.raises(Incomplete, match="disconnected"):
        back.read(session(10))


# What others did meanwhile


def test_room_that_others_put_it_into_counts_from_then_on(back: Return) -> None:
    back.reader.write(message(11, AGORA), moved(12, ENTER), message(13, AGORA))
    found = session(10)
    assert back.read(found) == [12, 13]
    assert found.changes == [("join", AGORA, 12)]
    assert found.open_rooms() == [AGORA]
    assert AGORA in {channel.address for channel in back.world.channels}


def test_room_that_others_took_it_out_of_counts_until_then(back: Return) -> None:
    back.reader.write(message(11, AGORA), moved(12, LEAVE), message(13, AGORA))
    found = session(10, agora=[Stay(5, None)])
    assert back.read(found) == [11, 12]
    assert (found.changes, found.open_rooms()) == ([("leave", AGORA, 12)], [])


def test_room_that_was_closed_counts_until_then(back: Return) -> None:
    close = Message(12, EPOCH, Head(kind=CLOSE, targets=(AGORA,), room="agora"))
    back.reader.write(message(11, AGORA), close, message(13, AGORA))
    found = session(10, agora=[Stay(5, None)])
    assert back.read(found) == [11, 12]
    assert found.changes == [("leave", AGORA, 12)]


@pytest.mark.parametrize("kind", [LEAVE, CLOSE])
def test_room_that_it_is_not_in_any_more_sends_it_nothing_live(back: Return, kind: str) -> None:
    target = OWN if kind == LEAVE else AGORA
    back.reader.write(Message(11, EPOCH, Head(kind=kind, targets=(target,), room="agora")))
    back.read(session(10, agora=[Stay(5, None)]))
    back.world.delivery.take(message(1001, AGORA))
    assert back.client().held == []


def test_join_that_the_session_knows_already_is_not_done_again(back: Return) -> None:
    back.reader.write(moved(11, ENTER), message(12, AGORA))
    found = session(10, agora=[Stay(11, None)])
    assert back.read(found) == [11, 12]
    assert found.changes == []
