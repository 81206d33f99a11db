"""The link, against a server that does what a test says: it comes back and loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import gevent
import pytest

from siocluster.bus import link as module
from siocluster.bus.link import Link, Listener
from siocluster.bus.outbox import Bounds
from siocluster.bus.scripts import Limits, load
from siocluster.bus.ticket import Reply
from siocluster.errors import NotStoredError
from tests.integration.waiting import SCALE
from tests.unit.bus.fake_redis import FakeRedis, bulk, fake_redis, push, refused, turns

PATIENCE = 5 * SCALE
BEAT = 0.02 * SCALE
OWN = "worker:boot0"


@dataclass(slots=True)
class Told:
    """What the link told its listener."""

    pushes: list[tuple[str, bytes]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)


@dataclass(slots=True)
class World:
    link: Link
    redis: FakeRedis
    told: Told = field(default_factory=Told)

    def start(self) -> None:
        """Open the link, and hear the first beat."""
        self.link.subscribe(OWN)
        self.link.start(
            Listener(
                on_push=self._push,
                on_up=lambda: self.told.states.append("up"),
                on_down=lambda: self.told.states.append("down"),
                known=lambda: ("epoch000", 7),
                fresh_epoch=lambda: "fresh000",
                beat=lambda: self.link.call("beat", "boot0"),
            )
        )

    def _push(self, channel: str, data: bytes) -> None:
        if channel == OWN:
            self.link.heard()
        else:
            self.told.pushes.append((channel, data))

    def comes_to_live(self) -> None:
        assert self.link.live.wait(PATIENCE), "the link was not heard"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(module, "BEAT_SECONDS", BEAT)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(module, "SECONDS_TO_PREPARE", 0.2 * SCALE)
    scripts = load(Limits())
    with fake_redis(scripts, monkeypatch) as redis:
        bounds = Bounds(commands=5, bytes=1000, seconds=0.3 * SCALE)
        world = World(Link("redis://fake", root="{t}:", scripts=scripts, bounds=bounds), redis)
        redis.answer = beats
        world.start()
        world.comes_to_live()
        yield world
        world.link.stop()


def beats(name: str, arguments: list[str]) -> bytes:
    """The own beat comes back, and before its reply, as Redis sends it."""
    return (push(OWN, "beat") if name == "beat" else b"") + bulk(f"did {name}")


def replies_lost(name: str, arguments: list[str]) -> bytes:
    """What is published still arrives."""
    return push(OWN, "beat") if name == "beat" else b""


def wait_for(condition: Callable[[], object], words: str) -> None:
    with gevent.Timeout(PATIENCE, AssertionError(f"waited in vain for {words}")):
        while not condition():
            gevent.sleep(0.001)


def wait_until_lost(world: World) -> None:
    wait_for(lambda: "down" in world.told.states, "the loss")


# While all is well


def test_script_is_called_with_what_this_worker_knows_and_answered(world: World) -> None:
    ticket = world.link.call("emit", "one", "two")
    assert world.link.wait(ticket) == b"did emit"
    assert world.redis.named("emit") == [["one", "two"]]


def test_replies_come_in_the_order_of_the_calls(world: World) -> None:
    order: list[str] = []
    tickets = [
        world.link.call("emit", str(number), then=lambda _, number=number: order.append(number))
        for number in range(20)
    ]
    world.link.wait(tickets[-1])
    assert order == list(range(20))
    assert [arguments[0] for arguments in world.redis.named("emit")] == [*map(str, range(20))]


def test_push_and_reply_keep_their_order(world: World) -> None:
    order: list[object] = []

    def answered(reply: Reply) -> None:
        order.append(len(world.told.pushes))

    world.redis.answer = lambda name, arguments: push("room", "x") + beats(name, arguments)
    world.link.wait(world.link.call("emit", then=answered))
    world.redis.answer = lambda name, arguments: beats(name, arguments) + push("room", "x")
    world.link.wait(world.link.call("emit", then=answered))
    assert order[0] >= 1
    assert world.told.pushes[0] == ("room", b"x")


def test_channel_is_subscribed_once_and_before_what_is_called_after_it(world: World) -> None:
    world.link.subscribe("room")
    world.link.subscribe("room")
    world.link.wait(world.link.call("join"))
    world.link.unsubscribe("room")
    world.link.unsubscribe("room")
    world.link.wait(world.link.call("leave"))
    mine = [words for words in world.redis.heard if words[0] != "beat"]
    wanted = [["SUBSCRIBE", "room"], ["join"], ["UNSUBSCRIBE", "room"], ["leave"]]
    assert mine[-4:] == wanted


@pytest.mark.parametrize("words", ["OOM command not allowed", "WRONGTYPE foreign", "FENCED old"])
def test_what_redis_refuses_is_said_to_who_did_it_and_to_nobody_else(
    world: World, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(name: str, arguments: list[str]) -> bytes:
        return refused(words) if arguments == ["bad"] else beats(name, arguments)

    world.redis.answer = answer
    bad, good = world.link.call("emit", "bad"), world.link.call("emit", "good")
    with pytest.raises(NotStoredError, match=words):
        world.link.wait(bad)
    assert world.link.wait(good) == b"did emit"
    assert world.redis.connections == 1
    assert words in caplog.text


# Loss and return


def test_what_was_in_flight_is_sent_again_in_order_and_answered_once(world: World) -> None:
    world.redis.answer = replies_lost
    answers: list[Reply] = []
    tickets = [world.link.call("emit", str(one), then=answers.append) for one in range(3)]
    wait_for(lambda: len(world.redis.named("emit")) == 3, "three emits")
    world.redis.answer = beats
    world.redis.hang_up()
    assert [world.link.wait(ticket) for ticket in tickets] == [b"did emit"] * 3
    assert world.redis.named("emit") == [["0"], ["1"], ["2"]] * 2
    assert answers == [b"did emit"] * 3


def test_subscriptions_come_first_and_a_greeting_second_on_a_new_connection(world: World) -> None:
    world.link.subscribe("room")
    world.redis.answer = replies_lost
    ticket = world.link.call("emit", "one")
    wait_for(lambda: world.redis.named("emit"), "the emit")
    before = len(world.redis.heard)
    world.redis.answer = beats
    world.redis.hang_up()
    world.link.wait(ticket)
    assert world.redis.heard[before : before + 3] == [
        ["SUBSCRIBE", "room", OWN],
        ["greet"],
        ["emit", "one"],
    ]


def test_room_that_was_left_is_not_subscribed_again(world: World) -> None:
    world.link.subscribe("room")
    world.link.unsubscribe("room")
    world.redis.hang_up()
    wait_until_lost(world)
    world.comes_to_live()
    assert ["SUBSCRIBE", OWN] in world.redis.heard[1:]


def test_what_is_called_meanwhile_waits_and_goes_out_behind_it(world: World) -> None:
    world.redis.silent = True
    world.redis.hang_up()
    wait_until_lost(world)
    tickets = [world.link.call("emit", "later"), world.link.call("emit", "last")]
    turns()
    assert world.redis.named("emit") == []
    world.redis.silent = False
    world.redis.hang_up()
    for ticket in tickets:
        assert world.link.wait(ticket) == b"did emit"
    assert world.redis.named("emit") == [["later"], ["last"]]


def test_listener_is_told_of_each_loss_and_return(world: World) -> None:
    for _ in range(2):
        world.redis.hang_up()
        wait_for(lambda: world.told.states[-1] == "down", "the loss")
        wait_for(lambda: world.told.states[-1] == "up", "the return")
    assert world.told.states == ["up", "down", "up", "down", "up"]


def test_link_is_live_only_once_its_own_beat_was_heard(world: World) -> None:
    """Commands are answered, but what is published does not arrive: that is as good as away."""
    world.redis.answer = lambda name, arguments: bulk("done")
    world.redis.hang_up()
    wait_for(lambda: world.told.states[-1] == "down", "the loss")
    wait_for(lambda: world.redis.named("beat")[1:], "a beat")
    turns()
    assert not world.link.live.is_set()
    world.redis.answer = beats
    world.comes_to_live()


@pytest.mark.parametrize("muted", ["pushes", "everything"])
def test_link_that_hears_nothing_any_more_is_ended_and_made_anew(
    world: World, muted: str, caplog: pytest.LogCaptureFixture
) -> None:
    if muted == "pushes":
        world.redis.answer = lambda name, arguments: bulk("done")
    else:
        world.redis.silent = True
    wait_until_lost(world)
    world.redis.answer, world.redis.silent = beats, False
    world.comes_to_live()
    assert world.redis.connections >= 2
    assert "silent for" in caplog.text


@pytest.mark.parametrize(
    "words", ["READONLY You can't write", "NOSCRIPT No matching", "LOADING the dataset", "MOVED 1"]
)
def test_answer_that_a_new_connection_mends_is_no_refusal(world: World, words: str) -> None:
    answers = [refused(words)]

    def answer(name: str, arguments: list[str]) -> bytes:
        return answers.pop() if name == "emit" and answers else beats(name, arguments)

    world.redis.answer = answer
    assert world.link.wait(world.link.call("emit", "one")) == b"did emit"
    assert world.redis.named("emit") == [["one"]] * 2


def test_garbage_instead_of_an_answer_is_a_loss_like_any_other(world: World) -> None:
    world.redis.say(b"\x00\xff HTTP/1.1 400 Bad Request\r\n\r\n")
    wait_until_lost(world)
    world.comes_to_live()
    assert world.link.wait(world.link.call("emit")) == b"did emit"


def test_listener_that_fails_does_not_end_the_link_for_ever(world: World) -> None:
    def fails(reply: Reply) -> None:
        raise RuntimeError("a bug of ours")

    world.link.call("emit", then=fails)
    turns()
    world.comes_to_live()
    assert world.link.wait(world.link.call("emit")) == b"did emit"


# Bounds


def test_call_that_is_not_answered_in_time_raises_and_is_not_sent_again(world: World) -> None:
    world.redis.answer = replies_lost
    ticket = world.link.call("emit", "one")
    with pytest.raises(NotStoredError, match="has not answered"):
        world.link.wait(ticket)
    world.redis.answer = beats
    world.redis.hang_up()
    wait_until_lost(world)
    world.comes_to_live()
    assert len(world.redis.named("emit")) == 1


def test_only_so_much_may_wait_while_redis_is_away(world: World) -> None:
    world.link.admit(10_000)
    world.redis.silent = True
    world.redis.hang_up()
    wait_until_lost(world)
    with pytest.raises(NotStoredError):
        world.link.admit(10_000)
    for _ in range(5):
        world.link.admit(1)
        world.link.call("emit", "x")
    with pytest.raises(NotStoredError, match="as much as may wait"):
        world.link.admit(1)


def test_publish_is_lost_while_redis_is_away(world: World) -> None:
    world.redis.silent = True
    world.redis.hang_up()
    wait_until_lost(world)
    world.link.publish("channel", "lost")
    world.redis.silent = False
    world.redis.hang_up()
    world.comes_to_live()
    world.link.wait(world.link.call("emit"))
    assert world.redis.named("tell") == []


def test_last_error_says_why_it_was_lost(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        world.redis.hang_up()
        wait_until_lost(world)
    assert "hung up" in world.link.last_error
    assert "new sessions are refused" in caplog.text


def test_catching_up_waits_for_all_that_was_called(world: World) -> None:
    ticket = world.link.call("emit")
    world.link.catch_up()
    assert ticket.done
    world.redis.answer = lambda name, arguments: b""
    world.link.call("emit")
    with pytest.raises(NotStoredError):
        world.link.catch_up()
