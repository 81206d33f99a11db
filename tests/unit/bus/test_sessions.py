"""Sessions that come back: what a client claims to have is trusted only where it can be true."""

from __future__ import annotations

import logging

import pytest

from siocluster.bus.sessions import Session, Sessions, Stay, new_pid, room_of
from tests.unit.bus.fake_link import FakeLink
from tests.unit.bus.heard import AGORA, FORUM

EPOCH = "epoch000"
START, NOW = 100, 900
PID = "p" * 22
NOTHING_LEFT_OUT = ("0", "0")


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def sessions(link: FakeLink) -> Sessions:
    return Sessions(link, boot="boot1", place="a1")  # type: ignore[arg-type]


def found(link: FakeLink, *, left_out: tuple[str, str] = NOTHING_LEFT_OUT, **fields: str) -> None:
    """What Redis has of the session: `room_…` stands for the field of a room."""
    fields = {"sid": "a0-x", "generation": "2", "start": str(START), **fields}
    flat = [part for pair in fields.items() for part in pair]
    reply = ["1", str(NOW), EPOCH, "boot0", "1", *left_out, *flat]
    link.answers["claim"] = lambda *_: [part.encode() for part in reply]


def claim(sessions: Sessions, offset: object = None) -> Session:
    session = sessions.claim(PID, offset, namespace="/")
    assert session
    return session


def test_pid_is_a_secret_of_128_bits() -> None:
    pids = {new_pid() for _ in range(100)}
    assert len(pids) == 100
    assert {len(pid) for pid in pids} == {22}


# Claiming


def test_claim_says_who_comes_where(link: FakeLink, sessions: Sessions) -> None:
    found(link)
    session = claim(sessions)
    assert link.calls() == [("claim", PID, "/", "a1", "boot1")]
    assert (session.sid, session.generation, session.epoch) == ("a0-x", 2, EPOCH)
    assert (session.older_boot, session.older_is_open) == ("boot0", True)


@pytest.mark.parametrize(
    "pid", ["", "x" * 65, "x" * 1_000_000, "ü" * 22, "a b\n", "\x00" * 22], ids=len
)
def test_pid_that_can_be_none_is_not_asked_about(
    link: FakeLink, sessions: Sessions, pid: str
) -> None:
    assert sessions.claim(pid, None, namespace="/") is None
    assert link.asked == []


def test_refused_claim_is_logged_without_the_secret(
    link: FakeLink, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    link.answers["claim"] = lambda *_: [b"0", b"expired"]
    with caplog.at_level(logging.DEBUG):
        assert sessions.claim(PID, None, namespace="/") is None
    assert "expired" in caplog.text
    assert PID not in caplog.text


# Positions


@pytest.mark.parametrize(
    ("offset", "position"),
    [
        (None, START),
        (f"500-{EPOCH}", 500),
        (f"{NOW}-{EPOCH}", NOW),
        (f"{START - 50}-{EPOCH}", START),
        (f"0-{EPOCH}", START),
    ],
)
def test_client_has_what_it_says_but_nothing_from_before_its_session(
    link: FakeLink, sessions: Sessions, offset: object, position: int
) -> None:
    found(link)
    assert claim(sessions, offset).position == position


@pytest.mark.parametrize(
    "offset",
    [
        f"{NOW + 1}-{EPOCH}",
        "500-another0",
        "-1-epoch000",
        "500",
        "",
        "nan-epoch000",
        f"{10**30}-{EPOCH}",
        "x" * 1_000_000,
        500,
        5.5,
        True,
        [f"500-{EPOCH}"],
        {"offset": f"500-{EPOCH}"},
    ],
    ids=lambda offset: ascii(offset)[:30],
)
def test_position_that_cannot_be_is_no_position(
    link: FakeLink, sessions: Sessions, offset: object
) -> None:
    found(link)
    assert sessions.claim(PID, offset, namespace="/") is None


@pytest.mark.parametrize(
    ("offset", "known"), [(400, True), (401, False), (499, False), (500, True)]
)
def test_position_of_what_a_restarted_redis_has_lost_cannot_go_on(
    link: FakeLink, sessions: Sessions, offset: int, known: bool
) -> None:
    found(link, left_out=("400", "500"))
    session = sessions.claim(PID, f"{offset}-{EPOCH}", namespace="/")
    assert (session is not None) == known


# Rooms


def test_session_brings_its_rooms_their_names_and_its_people(
    link: FakeLink, sessions: Sessions
) -> None:
    fields = {
        f"room {AGORA}": "100-200 300-",
        f"room {FORUM}": "150-160",
        "room r:/,#0123": "170-",
        "name r:/,#0123": '"a long name"',
        f"here {AGORA}": '["Ann","[]"]',
        "saved": "text",
        "later": "what another version wrote",
    }
    found(link, **fields)
    session = claim(sessions)
    assert session.rooms[AGORA] == [Stay(100, 200), Stay(300, None)]
    assert session.rooms[FORUM] == [Stay(150, 160)]
    assert session.open_rooms() == [AGORA, "r:/,#0123"]
    assert [room_of(address, session.names) for address in session.rooms] == [
        *("agora", 42, "a long name")
    ]
    assert (session.people, session.saved) == ({AGORA: '["Ann","[]"]'}, "text")


def test_stay_holds_what_came_after_its_join_up_to_its_leave() -> None:
    numbers = (100, 101, 200, 201)
    assert [Stay(100, 200).holds(number) for number in numbers] == [False, True, True, False]
    assert [Stay(100, None).holds(number) for number in numbers] == [False, True, True, True]


def test_what_others_did_meanwhile_changes_stays_and_is_noted(
    link: FakeLink, sessions: Sessions
) -> None:
    found(link, **{f"room {AGORA}": "100-"})
    session = claim(sessions)
    session.leave(AGORA, 500)
    session.enter(FORUM, 501)
    session.enter(AGORA, 502)
    assert session.rooms == {AGORA: [Stay(100, 500), Stay(502, None)], FORUM: [Stay(501, None)]}
    sessions.note(session)
    assert link.calls()[1:] == [
        ("leave", AGORA, PID, "2", "500", ""),
        ("join", FORUM, PID, "2", "501", ""),
        ("join", AGORA, PID, "2", "502", ""),
    ]


def test_what_had_been_done_before_is_not_done_again(link: FakeLink, sessions: Sessions) -> None:
    found(link, **{f"room {AGORA}": "100-", f"room {FORUM}": "100-200"})
    session = claim(sessions)
    session.enter(AGORA, 150)
    session.leave(FORUM, 300)
    session.leave("r:/,7", 300)
    session.leave(AGORA, 90)
    assert session.changes == []


def test_fields_are_saved_for_the_life_that_owns_the_session(
    link: FakeLink, sessions: Sessions
) -> None:
    sessions.save(PID, 3, saved="text", **{f"here {AGORA}": ""})
    assert link.calls() == [("save", PID, "3", "saved", "text", f"here {AGORA}", "")]


def test_session_that_cannot_go_on_is_ended_for_good(link: FakeLink, sessions: Sessions) -> None:
    found(link)
    sessions.discard(claim(sessions))
    assert link.calls()[-1] == ("finish", PID, "2", "0")
