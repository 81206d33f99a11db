"""What travels and what is stored: values to bytes and back, and whatever else comes is refused."""

from __future__ import annotations

import json

import pytest

from siocluster.bus.message import (
    CLOSE,
    ENTER,
    Head,
    Message,
    cut,
    parse_head,
    parse_published,
    parse_stored,
    previous_by_target,
)

AGORA, FORUM = 'r:/,"agora"', "r:/,42"
HEADS = [
    Head(),
    Head(targets=(AGORA,)),
    Head(targets=(AGORA, FORUM), skip=("a0-x",), namespace="/news", sizes=(5, 3)),
    Head(kind=CLOSE, targets=(AGORA,), room="agora"),
    Head(kind=ENTER, targets=("s:a0-x",), room=42),
    Head(callback=("boot", "agora", "/", 7), stored=False),
    Head(targets=(AGORA,), stamped=True, room="line\nbreak ☂"),
]
NOT_OURS = [
    b"",
    b"\n",
    b"\n\n",
    b"1 epoch000 0 -",
    b"1 epoch000 0 -\n{}",
    b"1 epoch000 0\n{}\n2[]",
    b"1 epoch000 0 - -\n{}\n2[]",
    b"x epoch000 0 -\n{}\n2[]",
    b"1 epoch000 x -\n" + b'{"t":["n:/"]}\n2[]',
    b"1 epoch000 0 x\n" + b'{"t":["n:/"]}\n2[]',
    b"1 epoch000 0,0 -\n" + b'{"t":["n:/"]}\n2[]',
    b"1 epoch000 - -\nnull\n2[]",
    b"1 epoch000 - -\n[]\n2[]",
    b"1 epoch000 - -\n{\n2[]",
    b"1 epoch000 - -\n" + b'{"z":[2]}\n2[]',
    b"1 epoch000 - -\n" + b'{"z":[1,1]}\n2[]',
    b"1 \xff\xfe - -\n{}\n2[]",
    b"1 epoch000 - -\n\xff\n2[]",
    b"9" * 5000 + b" epoch000 - -\n{}\n2[]",
    b"1 epoch000 - -\n" + b"[" * 100_000 + b"\n2[]",
    b"42" * 500_000,
]


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.encode())
def test_head_comes_back_as_it_was(head: Head) -> None:
    line = head.encode()
    assert "\n" not in line
    assert parse_head(line.encode()) == head


def test_head_leaves_out_what_needs_no_saying() -> None:
    assert Head().encode() == "{}"
    assert json.loads(Head(targets=(AGORA,)).encode()) == {"t": [AGORA]}


def test_published_message_comes_back_with_what_was_before_it() -> None:
    head = Head(targets=(AGORA, FORUM), sizes=(3, 2))
    data = b"12 epoch000 7,0 9\n" + head.encode().encode() + b"\n2[]\n\xff"
    found = parse_published(data)
    assert (found.number, found.epoch, found.head, found.chain) == (12, "epoch000", head, 9)
    assert found.previous == {AGORA: 7, FORUM: 0}
    assert found.parts == (b"2[]", b"\n\xff")


def test_stored_entry_comes_back_with_its_number_and_no_past() -> None:
    found = parse_stored(b"12-1700000000000", b'{"t":["n:/"]}\n2["a\nb"]', epoch="epoch000")
    assert (found.number, found.epoch) == (12, "epoch000")
    assert (found.parts, found.previous, found.chain) == ((b'2["a\nb"]',), {}, None)


@pytest.mark.parametrize("data", NOT_OURS, ids=lambda data: ascii(data[:30]))
def test_what_is_not_ours_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        parse_published(data)


@pytest.mark.parametrize(
    ("entry_id", "stored"),
    [(b"x-1", b"{}\n2[]"), (b"1-1", b"{}"), (b"1-1", b""), (b"1-1", b"x\ny")],
)
def test_stored_entry_that_is_not_ours_is_refused(entry_id: bytes, stored: bytes) -> None:
    with pytest.raises(ValueError):
        parse_stored(entry_id, stored, epoch="epoch000")


def test_unknown_fields_of_a_head_are_left_to_later_versions() -> None:
    assert parse_head(b'{"t":["n:/"],"future":1}') == Head(targets=("n:/",))


def test_parts_are_cut_where_the_head_says() -> None:
    assert cut(b"abcdef", (3, 0, 2, 1)) == (b"abc", b"", b"de", b"f")
    assert cut(b"abc", ()) == (b"abc",)
    assert cut(b"", ()) == ()


def test_previous_numbers_belong_to_the_targets_in_order() -> None:
    assert previous_by_target((AGORA, FORUM), "12,0") == {AGORA: 12, FORUM: 0}
    assert previous_by_target((AGORA,), "-") == {}


# As clients get it


def frames(message: Message, *, positioned: bool = False) -> list[object]:
    packets = message.positioned if positioned else message.packets
    return [packet.encode(b64=False) for packet in packets]


def message(text: bytes, *attachments: bytes, stamped: bool = False) -> Message:
    return Message(12, "epoch000", Head(stamped=stamped), (text, *attachments))


def test_client_without_recovery_gets_the_event_as_it_was_emitted() -> None:
    assert frames(message(b'2["said","hello"]')) == ['42["said","hello"]']


def test_client_with_recovery_gets_the_position_as_the_last_argument() -> None:
    found = frames(message(b'2/news,["said","hello"]'), positioned=True)
    assert found == ['42/news,["said","hello","12-epoch000"]']
    assert frames(message(b'2["bell"]'), positioned=True) == ['42["bell","12-epoch000"]']


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'2["said",{}]', '42["said",{"position":"12-epoch000"}]'),
        (b'2["said",{"a":{}}]', '42["said",{"a":{},"position":"12-epoch000"}]'),
        (b'2["said",1,{"a":"}"}]', '42["said",1,{"a":"}","position":"12-epoch000"}]'),
    ],
)
def test_stamped_event_carries_its_position_in_its_data(data: bytes, expected: str) -> None:
    assert frames(message(data, stamped=True)) == [expected]
    positioned = frames(message(data, stamped=True), positioned=True)
    assert positioned == [expected[:-1] + ',"12-epoch000"]']


def test_attachments_follow_as_they_are() -> None:
    found = message(b'51-["file",{"_placeholder":true,"num":0}]', b"\x00\xff")
    assert frames(found)[1:] == frames(found, positioned=True)[1:] == [b"\x00\xff"]


def test_frames_are_made_once_for_all_clients() -> None:
    found = message(b'2["said"]')
    assert found.packets is found.packets
    assert found.positioned is found.positioned
