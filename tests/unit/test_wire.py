"""Values to bytes and back; whatever else comes over the pipe is refused in one way."""

from __future__ import annotations

import json

import pytest

from siocluster import wire
from siocluster.errors import WireError
from siocluster.wire import Beat, Boot, Failed, Hello, Inspected, Message, Reader, Ready

SAMPLES: list[Message] = [
    Boot(
        purpose="serve",
        target="app:app",
        folder="/srv/ä b",
        name="shop",
        node="a",
        slot=3,
        port=6004,
        listener=7,
        redis="redis://:secret@h",
        redis_origin="siocluster.toml",
        trusted_peers=("127.0.0.1/32", "*"),
        graceful_timeout=0.5,
    ),
    Hello(pid=12),
    Inspected(
        path="/socket.io/",
        redis=None,
        redis_origin="none named",
        redis_version="",
        notes=("一", "two"),
    ),
    Ready(secret_digest="ab", notes=("line\nbreak",)),
    Failed(message="no", hint="so", detail="Traceback…\n  line", exit_code=3),
    Beat(connects=5, disconnects=2),
]


def line(**changes: object) -> bytes:
    """A beat's line with some fields changed; None takes a field away."""
    body = json.loads(wire.encode(Beat(connects=1, disconnects=0))) | changes
    return json.dumps({k: v for k, v in body.items() if v is not None}).encode()


def test_the_samples_show_every_kind() -> None:
    assert {sample.kind for sample in SAMPLES} == set(wire.MESSAGES)


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: message.kind)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    data = wire.encode(message)
    assert data.endswith(b"\n") and data.count(b"\n") == 1
    assert wire.decode(data) == message


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: message.kind)
def test_every_message_begins_with_the_version(message: Message) -> None:
    assert wire.encode(message).startswith(b'{"version":%d,' % wire.VERSION)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"1",
        b'"beat"',
        b"{}",
        b'{"kind":"beat"}',
        b"[" * 100_000,
        b'{"version":1}',
        b"[1,2]",
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="no message"):
        wire.decode(data)


@pytest.mark.parametrize("kind", ["bye", "", ["beat"], 1, {}])
def test_an_unknown_kind_is_refused(kind: object) -> None:
    with pytest.raises(WireError, match="no known kind"):
        wire.decode(line(kind=kind))


def test_another_version_is_told_what_to_do() -> None:
    with pytest.raises(WireError, match=r"different versions \(1 and 2\)") as caught:
        wire.decode(line(version=2))
    assert "stop it and start it again" in caught.value.hint


def test_a_lacking_field_is_refused_and_an_extra_one_ignored() -> None:
    with pytest.raises(WireError, match="kind hello lacks a field"):
        wire.decode(line(kind="hello"))
    assert wire.decode(line(colour="red")) == Beat(connects=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"connects": "many"},
        {"connects": 1.5},
        {"connects": [1]},
        {"disconnects": {}},
        {"kind": "hello", "pid": "12"},
        {"kind": "failed", "message": 1},
        {"kind": "ready", "notes": "text"},
        {"kind": "ready", "notes": [1]},
    ],
)
def test_a_field_of_another_type_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(WireError):
        wire.decode(line(**changes))


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1 << 20])
def test_a_reader_finds_messages_however_the_bytes_are_cut(size: int) -> None:
    data = b"".join(wire.encode(message) for message in SAMPLES)
    reader = Reader()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert [message for piece in pieces for message in reader.feed(piece)] == SAMPLES


def test_a_reader_hands_on_what_came_before_the_nonsense() -> None:
    messages = Reader().feed(wire.encode(Hello(pid=1)) + b"nonsense\n")
    assert next(messages) == Hello(pid=1)
    with pytest.raises(WireError):
        next(messages)


def test_a_reader_does_not_collect_a_line_without_end() -> None:
    reader = Reader()
    with pytest.raises(WireError, match="no end"):
        for _ in range(64):
            list(reader.feed(b"x" * 65536))
