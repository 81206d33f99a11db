"""The checker says what is wrong with a record, and that nothing is when nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

from tests.chaos.checker import Checker
from tests.chaos.strikes import Strike
from tests.chaos.violations import Kind

ROOMS = {"blue": [0, 1, 2], "red": [1, 2]}
ADA, BEN, CLEO = 0, 1, 2
LATER = 1000.0


class Story:
    """A run, told line by line; each line takes a tenth of a second."""

    def __init__(self) -> None:
        self.checker = Checker(ROOMS, recovery_seconds=60, recovery_events=1000)
        self.now = 100.0
        self.number = 0
        self.epoch = "aaaa0000"
        self._counts = dict.fromkeys(range(3), 0)

    def see(self, kind: str, client: int, *facts: object) -> None:
        self.now += 0.1
        self.checker.see([kind, client, self.now, *facts])

    def position(self, number: int | None = None) -> str:
        return f"{self.number if number is None else number}-{self.epoch}"

    def everybody_joins(self) -> None:
        for client in range(3):
            self.see("connected", client, f"a{client}", False)
            self.join(client)

    def join(
        self, client: int, *, history: Sequence[tuple[str, str]] = (), more: bool = True
    ) -> None:
        for room, members in ROOMS.items():
            if client in members:
                shown = [list(pair) for pair in history] if room == "blue" else []
                self.see("joined", client, room, self.position(), shown, more)

    def say(
        self, client: int, room: str = "blue", *, to: Iterable[int] | None = None, ack: bool = True
    ) -> tuple[str, str]:
        """Stored under the next number, and shown to all members or to `to`."""
        message = self.make(client, room)
        self.number += 1
        for member in ROOMS[room] if to is None else to:
            self.show(member, message, room)
        if ack:
            self.ack(client, message)
        return self.position(), message

    def make(self, client: int, room: str = "blue") -> str:
        count = self._counts[client]
        self._counts[client] += 1
        message = f"c{client:03}-r{list(ROOMS).index(room):02}-{count:06}"
        self.see("say", client, message)
        return message

    def show(
        self, client: int, message: str, room: str = "blue", *, position: str | None = None
    ) -> None:
        self.see("message", client, room, position or self.position(), message)

    def ack(self, client: int, message: str) -> None:
        self.see("said", client, message, self.position())

    def cut(self, client: int, *, seconds: float = 1.0, recovered: bool) -> None:
        self.see("disconnected", client, "transport close")
        self.now += seconds
        self.see("connected", client, f"a{client}", recovered)

    def strike(self, name: str, **facts: Any) -> Strike:
        strike = Strike(name, self.now, **facts)
        self.checker.strikes.begin(strike)
        return strike

    def close(self, strike: Strike) -> None:
        assert strike.ended_at is not None
        self.checker.close(strike, served_since=strike.ended_at, now=self.now)

    def kinds(self) -> dict[Kind, int]:
        """How the run ends: each kind of violation, counted."""
        self.checker.finish(self.now + LATER)
        return dict(self.checker.violations.counts)

    def words(self) -> str:
        return "\n".join(violation.words for violation in self.checker.violations.kept)


def begun() -> Story:
    story = Story()
    story.everybody_joins()
    return story


def test_flawless_run_is_flawless() -> None:
    story = begun()
    for client in (ADA, BEN, CLEO, BEN):
        story.say(client)
        story.say(CLEO, "red")
    story.cut(BEN, recovered=True)
    story.say(ADA)
    assert story.kinds() == {}
    assert story.checker.unsettled() == 0


def test_loss_at_all_clients_is_found() -> None:
    story = begun()
    story.say(ADA, to=[])
    story.say(ADA)
    assert story.kinds() == {Kind.LOSS: 1, Kind.GAP: 3}


def test_loss_of_the_last_message_is_found() -> None:
    story = begun()
    story.say(ADA)
    story.say(ADA, to=[ADA, BEN])
    assert story.kinds() == {Kind.LOSS: 1, Kind.GAP: 1}


def test_silent_gap_is_found_while_the_run_goes_on() -> None:
    story = begun()
    _, missed = story.say(ADA, to=[ADA, CLEO])
    story.say(CLEO)
    story.checker.sweep(story.now + LATER)
    assert story.checker.violations.counts == {Kind.GAP: 1, Kind.LOSS: 1}
    assert f"c001 has not seen 1 of blue, 1 of them acknowledged: 1-aaaa0000 ({missed})" in (
        story.words()
    )


def test_gap_in_what_was_never_acknowledged_is_found() -> None:
    story = begun()
    story.say(ADA, to=[ADA, BEN], ack=False)
    for _ in range(200):
        story.say(CLEO)
    assert story.kinds() == {Kind.GAP: 1}


def test_gap_is_found_though_its_acknowledgement_comes_late() -> None:
    story = begun()
    message = story.make(ADA)
    story.number += 2
    for client in (ADA, CLEO):
        story.show(client, message, position=story.position(1))
    for client in range(3):
        story.show(client, story.make(BEN) if client == 0 else "c001-r00-000000")
    story.checker.sweep(story.now)
    assert not story.checker.violations
    story.see("said", ADA, message, story.position(1))
    story.see("said", BEN, "c001-r00-000000", story.position())
    assert story.kinds() == {Kind.GAP: 1, Kind.LOSS: 1}


def test_absence_of_a_client_that_has_not_passed_yet_is_no_gap() -> None:
    story = begun()
    story.see("disconnected", BEN, "ping timeout")
    missed = [story.say(ADA, to=[ADA, CLEO]) for _ in range(3)]
    story.checker.sweep(story.now + LATER)
    story.see("connected", BEN, "a1", True)
    for position, message in missed:
        story.show(BEN, message, position=position)
    assert story.kinds() == {}


def test_message_shown_twice_is_a_double() -> None:
    story = begun()
    position, message = story.say(ADA)
    story.show(BEN, message, position=position)
    assert story.kinds() == {Kind.DOUBLE: 1}


def test_message_shown_twice_is_a_double_also_when_all_is_settled() -> None:
    story = begun()
    position, message = story.say(ADA)
    story.say(BEN)
    story.checker.sweep(story.now + LATER)
    assert story.checker.unsettled() == 0
    story.show(BEN, message, position=position)
    assert story.kinds() == {Kind.DOUBLE: 1}


def test_message_stored_twice_is_a_double() -> None:
    story = begun()
    _, message = story.say(ADA)
    story.number += 1
    story.show(BEN, message)
    assert Kind.DOUBLE in story.kinds()
    assert "stored twice in blue: 1-aaaa0000 and 2-aaaa0000" in story.words()


def test_swap_of_two_rooms_messages_is_a_reordering() -> None:
    story = begun()
    first, second = story.make(ADA), story.make(CLEO, "red")
    story.number = 2
    for client in (ADA, CLEO, BEN):
        places = [("blue", first, 1), ("red", second, 2)]
        for room, message, number in places if client != BEN else places[::-1]:
            if client in ROOMS[room]:
                story.show(client, message, room, position=story.position(number))
    story.see("said", ADA, first, story.position(1))
    story.see("said", CLEO, second, story.position(2))
    assert story.kinds() == {Kind.ORDER: 1}
    assert "c001 got 1-aaaa0000 of blue after 2-aaaa0000" in story.words()


def test_two_orders_under_the_same_numbers_are_a_reordering() -> None:
    story = begun()
    first, second = story.make(ADA), story.make(BEN)
    for client, order in ((ADA, (first, second)), (BEN, (second, first)), (CLEO, (first, second))):
        for number, message in enumerate(order, start=1):
            story.show(client, message, position=story.position(number))
    assert Kind.ORDER in story.kinds()


def test_acknowledgement_that_names_another_position_is_found() -> None:
    story = begun()
    message = story.make(ADA)
    story.number += 1
    for client in range(3):
        story.show(client, message)
    story.see("said", ADA, message, story.position(7))
    assert Kind.DOUBLE in story.kinds()


def test_message_of_another_room_is_found() -> None:
    story = begun()
    message = story.make(BEN, "red")
    story.number += 1
    story.show(ADA, message, "blue")
    assert Kind.STRANGE in story.kinds()


def test_message_that_nobody_said_is_found() -> None:
    story = begun()
    story.say(BEN)
    story.number += 1
    for client in range(3):
        story.show(client, "c001-r00-000009")
    assert story.kinds() == {Kind.STRANGE: 1}


def test_message_without_a_position_is_found() -> None:
    story = begun()
    story.say(BEN)
    for position in ("", "-1-aaaa0000", "1", f"{2**60}-aaaa0000", "x-aaaa0000"):
        story.see("message", ADA, "blue", position, "c001-r00-000000")
    assert story.kinds() == {Kind.STRANGE: 5}


def test_server_that_refuses_everything_does_not_pass() -> None:
    story = Story()
    for client in range(3):
        story.see("refused", client, "xhr poll error", False)
    assert story.kinds() == {Kind.STUCK: 3, Kind.UNACKED: 1}


def test_server_that_acknowledges_too_little_does_not_pass() -> None:
    story = begun()
    for count in range(100):
        story.say(ADA, ack=count > 1)
    assert story.kinds() == {Kind.UNACKED: 1}


def test_server_that_refuses_for_good_does_not_pass() -> None:
    story = begun()
    story.say(ADA)
    story.see("refused", ADA, "not now", True)
    story.see("disconnected", BEN, "io server disconnect")
    story.see("connected", BEN, "a1", True)
    assert story.kinds() == {Kind.REFUSED: 2}


def test_being_told_after_a_short_cut_is_found() -> None:
    story = begun()
    position, message = story.say(ADA)
    story.cut(BEN, recovered=False)
    story.join(BEN, history=[(position, message)], more=False)
    assert story.kinds() == {Kind.TOLD: 1}
    assert "c001 was told after 1.4 s and at most 0 events" in story.words()


def test_another_id_after_recovery_is_found() -> None:
    story = begun()
    story.say(ADA)
    story.see("disconnected", ADA, "transport close")
    story.see("connected", ADA, "other", True)
    assert story.kinds() == {Kind.STRANGE: 1}


def test_client_that_was_asleep_for_long_has_to_be_told_and_reloads() -> None:
    story = begun()
    asleep = story.strike("asleep", told=frozenset({BEN}))
    lines = [story.say(ADA, to=[ADA, CLEO]) for _ in range(9)]
    asleep.ended_at = story.now
    story.cut(BEN, seconds=30, recovered=False)
    story.join(BEN, history=lines[4:])
    story.say(ADA)
    assert story.kinds() == {}
    assert story.checker.told == {"asleep": 1}


def test_client_that_was_asleep_for_long_and_is_not_told_is_found() -> None:
    story = begun()
    story.strike("asleep", told=frozenset({BEN})).ended_at = story.now
    story.say(ADA)
    assert story.kinds() == {Kind.UNTOLD: 1}


def test_hole_in_a_reloaded_history_is_found() -> None:
    story = begun()
    story.strike("asleep", told=frozenset({BEN}))
    lines = [story.say(ADA, to=[ADA, CLEO]) for _ in range(9)]
    story.cut(BEN, recovered=False)
    story.join(BEN, history=[*lines[4:6], *lines[7:]])
    story.say(ADA)
    assert story.kinds() == {Kind.GAP: 1, Kind.LOSS: 1}


def test_history_that_says_it_is_whole_has_to_be() -> None:
    story = begun()
    story.strike("asleep", told=frozenset({BEN}))
    lines = [story.say(ADA, to=[ADA, CLEO]) for _ in range(9)]
    story.cut(BEN, recovered=False)
    story.join(BEN, history=lines[4:], more=False)
    story.say(ADA)
    assert story.kinds() == {Kind.GAP: 1, Kind.LOSS: 4}


def test_what_was_missed_before_being_told_is_still_found() -> None:
    story = begun()
    story.say(ADA, to=[ADA, CLEO])
    story.say(ADA)
    story.strike("asleep", told=frozenset({BEN}))
    story.cut(BEN, recovered=False)
    story.join(BEN)
    story.say(ADA)
    assert story.kinds() == {Kind.GAP: 1, Kind.LOSS: 1}


def flushed() -> tuple[Story, Strike]:
    story = begun()
    story.say(ADA)
    story.say(BEN, to=[BEN])  # the others are still to see it when it is gone
    strike = story.strike("flush", told=frozenset(range(3)), certain_until=-inf)
    story.epoch, story.number = "bbbb1111", 0
    strike.ended_at = story.now
    return story, strike


def test_emptied_redis_that_is_told_to_all_is_no_mistake() -> None:
    story, strike = flushed()
    for client in range(3):
        story.cut(client, recovered=False)
        story.join(client)
    story.say(CLEO)
    assert story.kinds() == {}
    assert strike.were_told == {ADA, BEN, CLEO}


def test_emptied_redis_that_is_hidden_is_found() -> None:
    story, _ = flushed()
    for client in range(3):
        story.cut(client, recovered=client != BEN and client != CLEO)
        if client != ADA:
            story.join(client)
    story.say(CLEO)
    kinds = story.kinds()
    assert kinds[Kind.UNTOLD] == 1 and kinds[Kind.EPOCH] == 1


def test_emptied_redis_that_is_told_much_later_is_found() -> None:
    story, _ = flushed()
    story.now += 20
    for client in range(3):
        story.cut(client, recovered=False)
        story.join(client)
    story.say(CLEO)
    assert story.kinds() == {Kind.UNTOLD: 1}


def test_new_epoch_of_a_redis_that_lost_nothing_is_found() -> None:
    story = begun()
    story.say(ADA)
    story.epoch, story.number = "bbbb1111", 0
    story.cut(ADA, recovered=False)
    story.join(ADA)
    story.say(CLEO)
    assert Kind.EPOCH in story.kinds()
    assert "1-bbbb1111 begins an epoch, yet Redis has lost nothing" in story.words()


def lost_the_last_seconds(*, acked_before_the_kill: float) -> Story:
    """A Redis that wrote once a second has lost one message; the histories lack it."""
    story = begun()
    first = story.say(ADA)
    story.say(BEN)
    story.now += acked_before_the_kill
    strike = story.strike("redis_kill", told=frozenset(range(3)), certain_until=story.now - 2)
    strike.ended_at = story.now
    story.epoch, story.number = "bbbb1111", 2
    kept = [(position.replace("aaaa0000", story.epoch), message) for position, message in [first]]
    for client in range(3):
        story.cut(client, recovered=False)
        story.join(client, history=kept)
    story.say(CLEO)
    return story


def test_what_redis_may_lose_by_its_settings_is_counted() -> None:
    story = lost_the_last_seconds(acked_before_the_kill=1)
    assert story.kinds() == {}
    assert story.checker.lost_by_redis == {"c001-r00-000000"}


def test_what_redis_may_not_lose_even_so_is_a_loss() -> None:
    assert lost_the_last_seconds(acked_before_the_kill=3).kinds() == {Kind.LOSS: 1}


def test_fault_counts_what_it_met_and_when_the_first_acknowledgement_came() -> None:
    story = begun()
    strike = story.strike("kill_worker")
    story.say(ADA)
    unanswered = story.make(ADA)
    strike.ended_at = story.now
    story.checker.strikes.wait_for_ack(since=story.now)
    story.now += 3
    story.say(BEN)
    story.close(strike)
    assert (strike.in_flight, strike.back_seconds) == (2, story.now - strike.ended_at)
    story.ack(ADA, unanswered)


def test_fault_that_meets_nothing_says_so() -> None:
    story = begun()
    story.say(ADA)
    story.now += 1
    strike = story.strike("kill_worker")
    strike.ended_at = story.now
    story.now += 1
    story.checker.strikes.wait_for_ack(since=story.now)
    story.say(ADA)
    story.close(strike)
    assert story.kinds() == {Kind.IDLE: 1}


def test_fault_after_which_nothing_is_acknowledged_says_so() -> None:
    story = begun()
    strike = story.strike("kill_worker")
    story.say(ADA)
    strike.ended_at = story.now
    story.checker.strikes.wait_for_ack(since=story.now)
    story.close(strike)
    assert story.kinds() == {Kind.DEAF: 1}
