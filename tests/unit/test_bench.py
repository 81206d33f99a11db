"""The pure parts of the bench: bytes, counting, medians, ratios and the table."""

from __future__ import annotations

import os
import time

import pytest

from bench import accounting
from bench.accounting import Process
from bench.client import acked_number, ask_frame, said_number, say_frame
from bench.crowd import LoadError, Talk
from bench.frames import Reader, masked, text_frame
from bench.quantities import FILLS, LOADS, PROBES, QUANTITIES
from bench.rounds import order_of
from bench.servers import SERVERS
from bench.suite import Quantity, Reading, quantile, void_note
from bench.summary import Row, Sample, Spread, rows
from bench.table import in_colour, render

MICROSECONDS = Quantity("cpu", "CPU for each delivery", "µs", 1e6)


def server_frame(payload: bytes) -> bytes:
    """An unmasked text frame, as a server sends it."""
    if len(payload) < 126:
        return bytes((0x81, len(payload))) + payload
    if len(payload) < 1 << 16:
        return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload
    return bytes((0x81, 127)) + len(payload).to_bytes(8, "big") + payload


def sample(server: str, round_number: int, value: float | None, **more: object) -> Sample:
    return Sample(server, round_number, Reading("cpu", value, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, 5, 125, 126, 65535])
def test_a_text_frame_unmasks_to_its_text(size: int) -> None:
    frame = text_frame("x" * size)
    start = 2 if size < 126 else 4
    mask, payload = frame[start : start + 4], frame[start + 4 :]
    assert masked(payload, mask) == b"x" * size


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_the_reader_gives_whole_frames_however_the_bytes_are_cut(step: int) -> None:
    payloads = [b"", b"2", b"y" * 126, b"z" * 70_000]
    stream = b"".join(map(server_frame, payloads))
    reader = Reader()
    found = [
        frame
        for position in range(0, len(stream), step)
        for frame in reader.feed(stream[position : position + step])
    ]
    assert found == [(1, payload) for payload in payloads]


def test_a_message_says_its_number_and_brings_it_back() -> None:
    frame = say_frame("room1", 73, "padding")
    said = masked(frame[6:], frame[2:6])
    assert said == b'42["say","room1","73:padding"]'
    assert said_number(b'42["said","73:padding"]') == 73


def test_an_ack_brings_the_number_of_its_message_back() -> None:
    frames = [say_frame("room1", 73, "x", acked=True), ask_frame(74, "x", acked=True)]
    said, asked = [masked(frame[6:], frame[2:6]) for frame in frames]
    assert said == b'4273["say","room1","73:x"]'
    assert asked == b'4274["ask","74:x"]'
    assert [acked_number(packet) for packet in (b"4373[]", b'4374["ok"]')] == [73, 74]


def test_an_event_that_nobody_said_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody said"):
        said_number(b'42["other",1]')


def test_processes_are_told_apart_by_program() -> None:
    names = ["nginx", "redis-server", "valkey-server", "python3", "node", "gunicorn"]
    assert [accounting.part_of(name) for name in names] == ["nginx", "redis", "redis", *["app"] * 3]


def test_cpu_is_what_was_spent_between_two_readings() -> None:
    processes = [Process(1, "app"), Process(2, "app"), Process(3, "nginx"), Process(4, "redis")]
    before = {1: 2.0, 3: 1.0, 4: 5.0}
    after = {1: 2.5, 2: 0.25, 3: 1.125}
    spent = accounting.cpu_spent(processes, before=before, after=after)
    assert spent == {"app": 0.75, "nginx": 0.125, "redis": 0.0}


def test_cpu_of_a_busy_process_grows_by_what_it_works() -> None:
    """The process's own clock, read around each of the two readings, bounds what they may tell."""
    this = [Process(os.getpid(), "app")]
    earliest = time.process_time()
    before = accounting.cpu_seconds(this)
    start = time.process_time()
    while (end := time.process_time()) < start + 0.05:
        pass
    after = accounting.cpu_seconds(this)
    latest = time.process_time()
    spent = accounting.cpu_spent(this, before=before, after=after)
    assert end - start <= spent["app"] <= latest - earliest


def test_memory_is_the_proportional_set_size() -> None:
    text = "00-ff ---p 0 00:00 0 [rollup]\nRss:   300 kB\nPss:    12 kB\nPss_Dirty:  9 kB\n"
    assert accounting.proportional_bytes(text) == 12 * 1024
    assert accounting.proportional_bytes("") == 0


def test_a_talk_counts_when_each_message_came_once_to_each_member() -> None:
    assert void_note(Talk(expected=20, delivered=20)) == ""


@pytest.mark.parametrize(
    ("delivered", "wrong"), [(19, 1), (21, 1), (20, 2)], ids=["lost", "doubled", "both"]
)
def test_a_talk_with_a_wrong_count_is_void_and_says_so(delivered: int, wrong: int) -> None:
    note = void_note(Talk(expected=20, delivered=delivered, wrong=wrong))
    assert note.startswith(f"void: {delivered} of 20 delivered, {wrong} messages")


def test_quantiles_are_values_that_occurred() -> None:
    ordered = [float(value) for value in range(1, 101)]
    assert (quantile(ordered, 0.5), quantile(ordered, 0.99)) == (51.0, 100.0)
    assert quantile([7.0], 0.99) == 7.0
    with pytest.raises(LoadError):
        quantile([], 0.5)


def test_each_server_comes_first_once_in_as_many_rounds() -> None:
    firsts = [order_of(SERVERS, number)[0] for number in range(1, len(SERVERS) + 1)]
    assert firsts == list(SERVERS)
    assert all(set(order_of(SERVERS, number)) == set(SERVERS) for number in range(1, 9))


def test_ratios_compare_readings_of_the_same_round() -> None:
    # The machine was three times slower in round 2: the ratio does not see it.
    samples = [sample("a", 1, 10.0), sample("b", 1, 20.0), sample("a", 2, 30.0)]
    samples += [sample("b", 2, 60.0), sample("b", 3, 999.0)]
    first, second = rows(samples, quantity="cpu", servers=["a", "b"])
    assert first.ratio is None
    assert first.value == Spread(20.0, 10.0, 30.0)
    assert second.ratio == Spread(2.0, 2.0, 2.0)


def test_one_void_round_makes_the_row_void() -> None:
    note = "void: 19 of 20 delivered"
    samples = [sample("a", 1, 10.0), sample("a", 2, None, note=note), sample("b", 1, 5.0)]
    void, other = rows(samples, quantity="cpu", servers=["a", "b"])
    assert (void.value, void.note) == (None, f"{note} (round 2)")
    assert other.value == Spread(5.0, 5.0, 5.0)


def test_the_median_is_taken_of_each_part_too() -> None:
    samples = [
        sample("a", number, 3.0, parts={"app": value, "nginx": 1.0})
        for number, value in enumerate([1.0, 2.0, 9.0], 1)
    ]
    (row,) = rows(samples, quantity="cpu", servers=["a"])
    assert row.parts == {"app": 2.0, "nginx": 1.0}


def test_the_table_is_aligned_and_names_void_rows() -> None:
    table = {
        MICROSECONDS: [
            Row(server="stock", value=Spread(20e-6, 19e-6, 25e-6), parts={"app": 20e-6}),
            Row(
                server="siocluster",
                value=Spread(44.4e-6, 40e-6, 52e-6),
                ratio=Spread(2.2, 2.1, 2.31),
                parts={"app": 30e-6, "nginx": 13e-6, "redis": 1.4e-6},
            ),
            Row(server="node", value=None, note="void: 9 of 10 delivered (round 1)"),
        ]
    }
    assert render(table, baseline="stock").splitlines() == [
        "CPU for each delivery [µs]",
        "              median       spread  ÷ stock       spread   app  nginx  redis",
        "  stock         20.0  19.0 … 25.0                        20.0      –      –",
        "  siocluster    44.4  40.0 … 52.0     2.20  2.10 … 2.31  30.0   13.0    1.4",
        "  node        void: 9 of 10 delivered (round 1)",
    ]


def test_colour_changes_no_letter_of_the_table() -> None:
    table = {MICROSECONDS: [Row(server="stock", value=Spread(1e-6, 1e-6, 1e-6))]}
    coloured = render(table, baseline="stock", paint=in_colour)
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m"):
        coloured = coloured.replace(code, "")
    assert coloured == render(table, baseline="stock")


def test_every_quantity_is_filled_by_one_probe() -> None:
    filled = [key for keys in FILLS.values() for key in keys]
    assert sorted(filled) == sorted(quantity.key for quantity in QUANTITIES)
    assert set(FILLS) == set(PROBES)


def test_every_load_divides_its_clients_evenly() -> None:
    assert [load.key for load in LOADS if load.clients % load.rooms] == []
