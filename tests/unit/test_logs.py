"""Log lines: text for people, JSON for machines, each record exactly once."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from siocluster import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def colours_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def written(level: str = "info", format: str = "text", stream: io.StringIO | None = None) -> str:
    """What configure() makes of one record of each level."""
    stream = stream or io.StringIO()
    logs.configure(role="worker 3", format=format, level=level, stream=stream)
    log = logging.getLogger("shop")
    log.debug("one")
    log.info("two %s", "words")
    log.warning("three")
    log.error("four")
    return stream.getvalue()


def test_a_text_line_has_clock_role_and_message() -> None:
    lines = written().splitlines()
    assert [line[:8].count(":") for line in lines] == [2, 2, 2]
    assert [line[8:] for line in lines] == [
        " worker 3  two words",
        " worker 3  warning three",
        " worker 3  error four",
    ]


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("error", 1)])
def test_the_level_keeps_the_rest_out(level: str, count: int) -> None:
    assert len(written(level).splitlines()) == count


def test_configuring_again_doubles_no_line() -> None:
    first = io.StringIO()
    written(stream=first)
    before = first.getvalue()
    assert len(written().splitlines()) == 3
    assert first.getvalue() == before


@pytest.mark.usefixtures("colours_allowed")
def test_colour_is_for_terminals_only() -> None:
    assert "\033[" in written(stream=Terminal())
    assert "\033[" not in written()


@pytest.mark.usefixtures("colours_allowed")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colour_gets_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert "\033[" not in written(stream=Terminal())


def test_a_json_line_is_one_object_with_time_level_role_and_logger() -> None:
    lines = [json.loads(line) for line in written(format="json").splitlines()]
    assert [line["message"] for line in lines] == ["two words", "three", "four"]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    assert {(line["role"], line["logger"]) for line in lines} == {("worker 3", "shop")}


def test_json_times_are_utc() -> None:
    record = logging.makeLogRecord({"msg": "x", "created": 0.25, "msecs": 250.0})
    assert json.loads(logs.JsonLines("master").format(record))["time"] == "1970-01-01T00:00:00.250Z"


@pytest.mark.parametrize("format", ["text", "json"])
def test_an_exception_is_written_with_its_traceback_once(format: str) -> None:
    stream = io.StringIO()
    logs.configure(role="master", format=format, level="info", stream=stream)
    try:
        raise LookupError("lost")
    except LookupError:
        logging.getLogger("shop").exception("It broke")
        logging.getLogger("shop").exception("Again")
    text = stream.getvalue()
    assert text.count("LookupError: lost") == 2
    assert text.count("It broke") == text.count("Again") == 1
    if format == "json":
        assert [json.loads(line)["level"] for line in text.splitlines()] == ["error", "error"]


def test_a_message_of_several_lines_is_one_line_of_json() -> None:
    stream = io.StringIO()
    logs.configure(role="master", format="json", level="info", stream=stream)
    logging.getLogger("shop").info("一\n\ntwo \x1b")
    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue())["message"] == "一\n\ntwo \x1b"
