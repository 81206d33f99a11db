"""The first screen: live on a terminal, plain lines elsewhere, records with JSON logs."""

from __future__ import annotations

import io
import logging

import pytest

from siocluster.master.screen import CLEAR_LINE, Screen
from siocluster.master.slot import Slot
from siocluster.wire import Failed, Hello, Ready
from tests.unit.fakes import FakeProcess


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def make_ready(slot: Slot) -> Slot:
    process = FakeProcess(pid=4711)
    slot.spawned(process, now=100)  # type: ignore[arg-type]
    process.says(Hello(pid=4711), Ready())
    slot.receive(now=102.34)
    return slot


def fail(slot: Slot) -> Slot:
    process = FakeProcess()
    slot.spawned(process, now=100)  # type: ignore[arg-type]
    process.says(Hello(pid=4711), Failed(message="no database"))
    slot.receive(now=101)
    process.code = 3
    slot.exited(now=101)
    return slot


def test_elsewhere_than_on_a_terminal_there_are_lines_without_control_codes(slot: Slot) -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.fact("redis", "Redis 7.0.15, the machine's")
    screen.begin([slot])
    screen.progress([slot])
    screen.worker(make_ready(slot))
    screen.url("http://127.0.0.1:3000/")
    screen.clear()
    assert not screen.live
    assert "\033" not in stream.getvalue() and "\r" not in stream.getvalue()
    assert [line.split() for line in stream.getvalue().splitlines() if line] == [
        ["redis", "Redis", "7.0.15,", "the", "machine's"],
        ["workers", "1,", "spawning"],
        ["worker", "0", f":{slot.port}", "ready", "after", "2.3", "s", "pid", "4711"],
        ["http://127.0.0.1:3000/"],
    ]


def test_a_worker_that_failed_is_shown_as_one_that_cannot_boot(slot: Slot) -> None:
    stream = io.StringIO()
    Screen(stream).worker(fail(slot))
    assert stream.getvalue().split() == ["worker", "0", f":{slot.port}", "cannot", "boot"]


def test_on_a_terminal_the_moving_line_tells_each_worker_s_state(
    terminal: Terminal, slot: Slot
) -> None:
    screen = Screen(terminal)
    assert screen.live
    screen.progress([slot])
    assert "spare" in terminal.getvalue()
    screen.progress([make_ready(slot)])
    assert "ready" in terminal.getvalue()
    assert terminal.getvalue().startswith(CLEAR_LINE)
    assert "\n" not in terminal.getvalue()


@pytest.mark.parametrize(("columns", "listed"), [(80, 3), (30, 1)])
def test_workers_that_would_wrap_the_line_are_counted_and_not_listed(
    terminal: Terminal, slot: Slot, monkeypatch: pytest.MonkeyPatch, columns: int, listed: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    make_ready(slot)
    Screen(terminal).progress([slot] * 3)
    assert terminal.getvalue().count("ready") == listed
    assert ("3 " in terminal.getvalue()) == (listed == 1)


def test_a_line_that_stays_takes_the_moving_one_away(terminal: Terminal, slot: Slot) -> None:
    screen = Screen(terminal)
    screen.progress([slot])
    screen.fact("nginx", "nginx 1.22.1")
    screen.fact("redis", "Redis 7.0.15")
    moving, first, *_ = terminal.getvalue().split(CLEAR_LINE)[1:]
    assert "workers" in moving
    assert "nginx 1.22.1" in first and "Redis 7.0.15" in first


def test_with_json_logs_everything_is_a_record(
    terminal: Terminal, slot: Slot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    screen = Screen(terminal, as_log=True)
    screen.fact("redis", "Redis 7.0.15")
    screen.progress([slot])
    screen.worker(make_ready(slot))
    screen.url("http://127.0.0.1:3000/")
    assert terminal.getvalue() == ""
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "redis: Redis 7.0.15"
    assert messages[1].startswith("worker 0: ")
    assert messages[2] == "serving on http://127.0.0.1:3000/"
    assert "\033" not in "".join(messages)
