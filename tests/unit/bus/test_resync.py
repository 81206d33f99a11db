"""Making good: after a loss all that is missing comes by number, before anything newer."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import gevent
import pytest

from siocluster.bus.clients import Client
from siocluster.bus.resync import Resync
from siocluster.errors import NotStoredError
from tests.integration.waiting import SCALE
from tests.unit.bus.fake_log import FakeReader, lost
from tests.unit.bus.heard import AGORA, EPOCH, FORUM, World, got, message

SECONDS = 120
PATIENCE = 2 * SCALE


@dataclass(slots=True)
class Loss:
    """A worker that has heard up to number 10 and missed what a test writes into the logs."""

    world: World = field(default_factory=World)
    reader: FakeReader = field(default_factory=FakeReader)
    given_up: list[tuple[str, str]] = field(default_factory=list)
    now: int = 100
    chain: int = 0
    resync: Resync = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.resync = Resync(
            world.link,  # type: ignore[arg-type]
            self.reader,  # type: ignore[arg-type]
            world.delivery,
            world.channels,
            world.clients,
            place="a0",
            seconds=SECONDS,
            give_up=self._give_up,
        )
        world.delivery.reached(10, EPOCH)
        world.link.answers["heads"] = self.heads

    def _give_up(self, clients: Iterable[Client], why: str) -> None:
        self.given_up += [(client.sid, why) for client in clients]

    def heads(self, place: str, *addresses: str) -> list[bytes]:
        newest = [str(self.reader.newest(address)).encode() for address in addresses]
        return [str(self.now).encode(), EPOCH.encode(), str(self.chain).encode(), *newest]

    def wait(self) -> None:
        """Until delivery is live again."""
        with gevent.Timeout(PATIENCE, AssertionError("delivery is held for ever")):
            while self.world.delivery.held is not None:
                gevent.sleep(0.001)


@pytest.fixture
def loss() -> Loss:
    return Loss()


@pytest.fixture
def world(loss: Loss) -> World:
    return loss.world


def test_what_was_missed_comes_by_number_over_all_rooms_and_before_what_is_held(
    loss: Loss, world: World
) -> None:
    world.client("Ann", AGORA, FORUM)
    loss.reader.write(message(12, FORUM), message(11, AGORA), message(13, AGORA))
    loss.resync.everything()
    world.delivery.take(message(101, AGORA, previous=13))
    loss.wait()
    assert got(world) == ["Ann 11", "Ann 12", "Ann 13", "Ann 101"]
    assert (world.delivery.high, loss.given_up) == (101, [])


def test_what_was_had_before_the_loss_does_not_come_again(loss: Loss, world: World) -> None:
    world.client("Ann", AGORA)
    loss.reader.write(message(10, AGORA), message(11, AGORA))
    loss.resync.everything()
    loss.wait()
    assert got(world) == ["Ann 11"]


def test_room_where_nothing_happened_is_not_read(loss: Loss, world: World) -> None:
    world.client("Ann", AGORA, FORUM)
    loss.reader.write(message(9, AGORA), message(11, FORUM))
    loss.resync.everything()
    loss.wait()
    assert loss.reader.read == [FORUM]


def test_sids_are_read_when_their_place_s_chain_has_gone_on(loss: Loss, world: World) -> None:
    world.client("Ann")
    loss.reader.write(message(11, "s:Ann"))
    loss.chain = 11
    loss.resync.everything()
    loss.wait()
    assert got(world) == ["Ann 11"]
    assert world.delivery.chain == 11


def test_one_room_is_read_alone(loss: Loss, world: World) -> None:
    world.client("Ann", AGORA, FORUM)
    loss.reader.write(message(11, AGORA), message(12, FORUM))
    loss.resync.room(AGORA)
    loss.wait()
    assert loss.reader.read == [AGORA]


# What cannot be made good


def test_members_of_a_room_whose_gap_cannot_be_filled_are_given_up(
    loss: Loss, world: World
) -> None:
    world.client("Ann", AGORA)
    world.client("Bob", FORUM)
    loss.reader.write(message(20, AGORA), trimmed=15)
    loss.resync.everything()
    loss.wait()
    assert [sid for sid, _ in loss.given_up] == ["Ann"]


def test_log_that_begins_with_the_next_one_is_no_gap(loss: Loss, world: World) -> None:
    world.client("Ann", AGORA)
    loss.reader.write(message(20, AGORA), trimmed=10)
    loss.resync.everything()
    loss.wait()
    assert (got(world), loss.given_up) == (["Ann 20"], [])


def test_gap_whose_end_is_held_already_needs_no_log(loss: Loss, world: World) -> None:
    """What arrived since may have pushed it out of a short log."""
    world.client("Ann", AGORA)
    loss.reader.write(message(12, AGORA), trimmed=11)
    loss.resync.everything()
    world.delivery.take(message(11, AGORA, previous=9))
    world.delivery.take(message(12, AGORA, previous=11))
    loss.wait()
    assert (got(world), loss.given_up) == (["Ann 11", "Ann 12"], [])


def test_all_are_given_up_when_the_link_was_away_for_longer_than_logs_keep(
    loss: Loss, world: World
) -> None:
    world.client("Ann", AGORA)
    world.client("Bob")
    loss.resync.last_heard = time.monotonic() - 2 * SECONDS - 1
    loss.resync.everything()
    loss.wait()
    assert sorted(sid for sid, _ in loss.given_up) == ["Ann", "Bob"]


# While it runs


def test_reading_that_fails_is_tried_again_and_nothing_is_delivered_meanwhile(
    loss: Loss, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.client("Ann", AGORA)
    loss.reader.write(message(11, AGORA))
    loss.reader.errors = [lost(), lost()]
    loss.resync.everything()
    with caplog.at_level(logging.WARNING):
        loss.wait()
    assert got(world) == ["Ann 11"]
    assert (loss.reader.renewed, caplog.text.count("tries again")) == (2, 2)


def test_log_that_redis_refuses_does_not_leave_the_worker_deaf(loss: Loss, world: World) -> None:
    """A foreign key in the place of one log: all others go on."""
    world.client("Ann", AGORA)
    answers = iter([NotStoredError("Redis refused it: WRONGTYPE")])
    world.link.answers["heads"] = lambda *names: next(answers, None) or loss.heads(*names)
    loss.reader.write(message(11, AGORA))
    loss.resync.everything()
    loss.wait()
    world.delivery.take(message(101, AGORA, previous=11))
    assert got(world)[-1] == "Ann 101"


def test_link_that_is_lost_meanwhile_begins_it_anew(loss: Loss, world: World) -> None:
    world.client("Ann", AGORA)
    loss.reader.write(message(11, AGORA))
    loss.reader.before_reading = lambda: (loss.resync.stop(), gevent.sleep(0))
    loss.resync.everything()
    gevent.sleep(0.01)
    assert got(world) == []
    loss.resync.everything()
    loss.wait()
    assert got(world) == ["Ann 11"]


def test_room_that_is_wanted_meanwhile_is_read_before_anything_is_delivered(
    loss: Loss, world: World
) -> None:
    ann = world.client("Ann", AGORA)

    def enters_another() -> None:
        world.channels.enter(ann, FORUM, since=10)
        loss.resync.room(FORUM)

    loss.reader.write(message(11, FORUM), message(12, AGORA))
    loss.reader.before_reading = enters_another
    loss.resync.room(AGORA)
    loss.wait()
    assert got(world) == ["Ann 11", "Ann 12"]
