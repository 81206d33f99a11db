"""Packets: standard on the bus whatever the app's serializer, and the app's own for its clients."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from socketio.packet import Packet

from siocluster.bus.message import Head, Message
from siocluster.bus.packing import Packing, ack_parts, arguments_of, decoded, event_parts

DATA: list[Any] = [
    None,
    "text",
    0,
    False,
    [],
    {},
    {"a": [1, {"b": None}]},
    (),
    ("one", 2),
    (None,),
    [1, 2],
    b"\x00\xff",
    ("name", b"", {"file": b"abc", "more": [b"d", "e"]}),
    "☂ \u2028 </script>",
]


class OnePiece(Packet):
    """An app's own serializer: one frame that holds bytes as they are."""

    uses_binary_events = False

    def encode(self) -> bytes:
        return repr((self.namespace, self.data, self.id)).encode()


def message(data: Any, *, stamped: bool = False) -> Message:
    parts = event_parts("/news", "event", data)
    return Message(12, "epoch000", Head(namespace="/news", stamped=stamped), parts)


@pytest.mark.parametrize("data", DATA, ids=ascii)
def test_event_comes_back_with_the_arguments_that_stock_gives(data: Any) -> None:
    expected = list(data) if isinstance(data, tuple) else [] if data is None else [data]
    assert arguments_of(data) == expected
    assert decoded(event_parts("/", "event", data)) == ["event", *expected]


@pytest.mark.parametrize("data", DATA, ids=ascii)
def test_ack_comes_back_as_it_was(data: Any) -> None:
    assert decoded(ack_parts(arguments_of(data))) == arguments_of(data)


@pytest.mark.parametrize("data", [object(), {"a": {1}}, ("x", object())], ids=repr)
def test_what_json_cannot_carry_is_refused_before_it_is_sent(data: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        event_parts("/", "event", data)


# To clients


def frames(packing: Packing, what: Message, *, positioned: bool = False) -> list[Any]:
    return [packet.data for packet in packing.event(what, positioned)]


def test_standard_packets_are_those_of_the_message_itself() -> None:
    what = message(["x"])
    assert Packing(Packet).event(what, True) is what.positioned
    assert Packing(Packet).event(what, False) is what.packets


def test_event_that_asks_has_its_ack_id_and_no_position() -> None:
    packets = Packing(Packet).asking(message("x"), 7)
    assert [packet.data for packet in packets] == ['2/news,7["event","x"]']


def test_binary_event_that_asks_keeps_its_attachments() -> None:
    packets = Packing(Packet).asking(message(("x", b"\x01")), 7)
    assert [packet.data for packet in packets] == [
        '51-/news,7["event","x",{"_placeholder":true,"num":0}]',
        b"\x01",
    ]


@pytest.mark.parametrize("positioned", [True, False])
def test_app_with_another_serializer_gets_its_own_packets(positioned: bool) -> None:
    (frame,) = frames(Packing(OnePiece), message({"a": b"\x01"}), positioned=positioned)
    data = ["event", {"a": b"\x01"}, *(["12-epoch000"] if positioned else [])]
    assert ast.literal_eval(frame.decode()) == ("/news", data, None)


def test_ack_id_reaches_a_client_with_another_serializer() -> None:
    (packet,) = Packing(OnePiece).asking(message("x"), 7)
    assert ast.literal_eval(packet.data.decode()) == ("/news", ["event", "x"], 7)


def test_stamped_event_has_its_position_with_any_serializer() -> None:
    (frame,) = frames(Packing(OnePiece), message(("x", {"a": 1}), stamped=True))
    stamped = {"a": 1, "position": "12-epoch000"}
    assert ast.literal_eval(frame.decode())[1] == ["event", "x", stamped]
