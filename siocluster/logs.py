"""Log lines of master and workers: one format for all, text with colour or JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import TextIO

COLOURS = {"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31;1m"}
DIM, PLAIN = "\033[2m", "\033[0m"


def colourful(stream: TextIO) -> bool:
    """Whether `stream` is a terminal whose user wants colour (no-color.org)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def configure(*, role: str, format: str, level: str, stream: TextIO = sys.stderr) -> None:
    """Send the root logger's records to `stream`; `role` is "master" or "worker 0"."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        JsonLines(role) if format == "json" else TextLines(role, colour=colourful(stream))
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def take_over(*names: str) -> None:
    """Take away loggers' own handlers, which would write each line a second time."""
    for name in names:
        logging.getLogger(name).handlers.clear()


class TextLines(logging.Formatter):
    """`12:00:01 worker 0   message`, warnings and errors marked."""

    def __init__(self, role: str, *, colour: bool) -> None:
        super().__init__()
        self._role = role
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        head = f"{clock} {self._role:<9}"
        if self._colour:
            head = f"{DIM}{head}{PLAIN}"
        return f"{head} {self._mark(record)}{_body(self, record)}"

    def _mark(self, record: logging.LogRecord) -> str:
        if record.levelno < logging.WARNING:
            return ""
        word = record.levelname.lower()
        if self._colour:
            return f"{COLOURS.get(record.levelname, '')}{word}{PLAIN} "
        return f"{word} "


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, role, logger, message."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return json.dumps(
            {
                "time": f"{clock}.{int(record.msecs):03d}Z",
                "level": record.levelname.lower(),
                "role": self._role,
                "logger": record.name,
                "message": _body(self, record),
            },
            ensure_ascii=False,
        )


def _body(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    lines = [record.getMessage()]
    if record.exc_info:
        lines.append(formatter.formatException(record.exc_info))
    return "\n".join(lines)
