"""Conditions to wait for, each with a deadline that SIOCLUSTER_TEST_SCALE stretches."""

from __future__ import annotations

import os
import random
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack

SCALE = float(os.environ.get("SIOCLUSTER_TEST_SCALE", "1"))
SECONDS_TO_START = 30 * SCALE
PAUSE = 0.02
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000  # below the ports that the kernel gives to clients


def no_log() -> str:
    return ""


def wait_until(
    condition: Callable[[], object],
    *,
    words: str,
    seconds: float = SECONDS_TO_START,
    log: Callable[[], str] = no_log,
) -> float:
    """Look again and again; seconds until it held, or an AssertionError with the log."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() > start + seconds:
            raise AssertionError(f"waited {seconds:g} s in vain for {words}\n{log()}")
        time.sleep(PAUSE)
    return time.monotonic() - start


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def is_free(port: int) -> bool:
    """Whether a server could take the port now; what is in TIME_WAIT there does not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
        return True


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """`count` ports in a row on which nobody listens."""
    for _ in range(200):
        first = random.randrange(LOWEST_PORT, HIGHEST_PORT - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return list(range(first, first + count))
    raise AssertionError(f"found no {count} free ports in a row")
