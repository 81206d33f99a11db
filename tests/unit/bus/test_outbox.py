"""What is on its way to Redis: in order, bounded, and sent again after a loss if it is of use."""

from __future__ import annotations

import pytest

from siocluster.bus.outbox import LARGEST_WRITE, WINDOW, Bounds, Outbox
from siocluster.bus.ticket import Ticket
from siocluster.errors import NotStoredError

GREETING = Ticket("greet", (), None)


def ticket(name: str, size: int = 1) -> Ticket:
    return Ticket(name, ("x" * size,), None)


def pack(each: Ticket) -> bytes:
    return f"<{each.name}>".encode()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(Bounds(commands=3, bytes=100))


def add(outbox: Outbox, *names: str) -> list[Ticket]:
    tickets = [ticket(name) for name in names]
    for each in tickets:
        outbox.add(each, first=False)
    return tickets


def test_commands_go_out_in_the_order_of_the_calls(outbox: Outbox) -> None:
    add(outbox, "one")
    outbox.add_bare(b"<SUBSCRIBE>")
    add(outbox, "two")
    assert outbox.batch(pack) == b"<one><SUBSCRIBE><two>"
    assert (outbox.batch(pack), outbox.waits) == (b"", False)


def test_replies_belong_to_the_oldest_in_flight(outbox: Outbox) -> None:
    one, two = add(outbox, "one", "two")
    outbox.batch(pack)
    assert [outbox.answered(), outbox.answered()] == [one, two]


def test_what_is_urgent_goes_before_all_that_waits_but_no_subscription(outbox: Outbox) -> None:
    add(outbox, "one")
    outbox.add_bare(b"<SUBSCRIBE>")
    add(outbox, "two")
    outbox.add(ticket("heads"), first=True)
    assert outbox.batch(pack) == b"<one><SUBSCRIBE><heads><two>"


def test_no_more_than_the_script_remembers_is_ever_in_flight(outbox: Outbox) -> None:
    add(outbox, *["emit"] * (WINDOW + 5))
    assert outbox.batch(pack).count(b"<emit>") == WINDOW
    assert outbox.batch(pack) == b""
    outbox.answered()
    assert outbox.batch(pack) == b"<emit>"


def test_one_write_stays_small(outbox: Outbox) -> None:
    add(outbox, *["emit"] * 5)
    sizes = []
    while batch := outbox.batch(lambda each: b"x" * LARGEST_WRITE):
        sizes.append(len(batch))
    assert sizes == [LARGEST_WRITE] * 5


# Bounds


def test_there_is_room_up_to_so_many_commands_in_flight_or_waiting(outbox: Outbox) -> None:
    add(outbox, "one")
    outbox.batch(pack)
    add(outbox, "two")
    outbox.check_room(1)
    add(outbox, "three")
    with pytest.raises(NotStoredError, match="as much as may wait"):
        outbox.check_room(1)


def test_there_is_room_up_to_so_many_bytes(outbox: Outbox) -> None:
    outbox.add(ticket("one", size=60), first=False)
    outbox.check_room(40)
    with pytest.raises(NotStoredError):
        outbox.check_room(41)


def test_what_was_sent_or_given_up_makes_room_again(outbox: Outbox) -> None:
    sent, given_up = ticket("one", size=50), ticket("two", size=50)
    for each in (sent, given_up):
        outbox.add(each, first=False)
    outbox.give_up(given_up)
    outbox.check_room(50)
    assert outbox.batch(pack) == b"<one>"
    outbox.check_room(100)


# After a loss


def test_what_was_in_flight_is_sent_again_behind_a_greeting_and_before_what_waits(
    outbox: Outbox,
) -> None:
    one, two = add(outbox, "one", "two")
    outbox.batch(pack)
    add(outbox, "three")
    outbox.lost()
    outbox.greet(GREETING)
    outbox.add(ticket("heads"), first=True)
    assert outbox.batch(pack) == b"<greet><one><two><heads><three>"
    assert one.resent and two.resent
    assert [outbox.answered().name for _ in range(5)] == [
        *("greet", "one", "two", "heads", "three")
    ]


def test_what_nobody_waits_for_any_more_is_not_sent_again(outbox: Outbox) -> None:
    one, two = add(outbox, "one", "two")
    outbox.batch(pack)
    outbox.give_up(one)
    outbox.lost()
    assert outbox.batch(pack) == b"<two>"
    assert outbox.last() is two


@pytest.mark.parametrize("sent", [True, False])
def test_what_meant_the_moment_is_not_sent_again(outbox: Outbox, sent: bool) -> None:
    (emit, *_) = add(outbox, "emit", "beat", "heads", "tell", "greet")
    outbox.add_bare(b"<SUBSCRIBE>")
    if sent:
        outbox.batch(pack)
    outbox.lost()
    assert outbox.batch(pack) == b"<emit>"
    assert outbox.last() is emit


def test_bytes_of_what_a_loss_has_dropped_make_room_again(outbox: Outbox) -> None:
    outbox.add(ticket("tell", size=99), first=False)
    outbox.lost()
    outbox.check_room(100)


def test_last_is_the_one_called_last(outbox: Outbox) -> None:
    assert outbox.last() is None
    one, two = add(outbox, "one", "two")
    assert outbox.last() is two
    outbox.batch(pack)
    outbox.add_bare(b"<SUBSCRIBE>")
    assert outbox.last() is two
    outbox.answered()
    outbox.answered()
    assert outbox.last() is None
    assert one is not two
