"""Every greenlet's stack, for the log: what a worker does, or what it hangs in."""

from __future__ import annotations

import gc
import logging
import traceback
from types import FrameType

import gevent
from greenlet import greenlet

log = logging.getLogger(__name__)
MOST_STACKS = 200  # a worker with thousands of waiting greenlets has few different stacks


def dump(_number: int, frame: FrameType | None) -> None:
    """Log all stacks, the running one first.

    A Python signal handler: it runs between two bytecodes of whatever keeps the hub busy. What
    blocks in C is not interrupted; faulthandler shows that one at SIGABRT.
    """
    log.error("Stacks of all greenlets, the running one first:\n%s", render(frame))


def render(running: FrameType | None) -> str:
    """Stacks as text; greenlets that wait at the same place are counted and shown once."""
    counts: dict[str, int] = {}
    for waiting in _suspended():
        stack = _stack(waiting.gr_frame)
        counts[stack] = counts.get(stack, 0) + 1
    parts = [f"--- running now\n{_stack(running)}"]
    for stack, count in sorted(counts.items(), key=lambda item: -item[1])[:MOST_STACKS]:
        parts.append(f"--- waiting: {count}\n{stack}")
    return "\n".join(parts)


def _suspended() -> list[greenlet]:
    current = gevent.getcurrent()
    return [
        found
        for found in gc.get_objects()
        if isinstance(found, greenlet) and found is not current and found.gr_frame is not None
    ]


def _stack(frame: FrameType | None) -> str:
    return "".join(traceback.format_stack(frame)).rstrip() if frame else "  (no Python frame)"
