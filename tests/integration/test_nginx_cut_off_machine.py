"""A machine that is cut off in silence: packets to it vanish, nobody refuses anything."""

from __future__ import annotations

import concurrent.futures
import ctypes
import os
import shutil
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from siocluster.front.binary import Binary
from siocluster.front.site import Node
from tests.integration.nginx_world import HANDSHAKE, SCALE, World, world

CLONE_NEWNET = 0x40000000
ADDRESSES = 60

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a network namespace of its own"),
]


def in_a_network_of_its_own(work: Callable[[], None]) -> None:
    """Run `work` in a thread, and what that starts, in a network that dies with them."""

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        run("ip", "link", "set", "lo", "up")
        work()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(enter).result()


def run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=20 * SCALE)


def cut_off(host: str) -> None:
    """Drop every packet to `host`: connects get no answer, not even a refusal."""
    assert shutil.which("iptables"), "apt install iptables"
    run("iptables", "-w", "-A", "INPUT", "-d", host, "-j", "DROP")


def machines(count: int, *, slots: int) -> tuple[Node, ...]:
    return tuple(
        Node(name="abcdefgh"[index], host=f"127.0.0.{index + 2}", base_port=20001, slots=slots)
        for index in range(count)
    )


def clients(made: World, path: str, method: str = "GET") -> list[float]:
    """Seconds until a worker's answer, for clients of many addresses; all are answered."""
    request = {"path": path, "method": method, "body": b"x"}
    replies = made.ask_together(
        {**request, "headers": {"X-Forwarded-For": f"203.{number}.113.7"}}
        for number in range(ADDRESSES)
    )
    assert [reply.status for reply in replies] == [200] * ADDRESSES
    return [reply.seconds for reply in replies]


def report(record: Callable[[str, object], None], what: str, seconds: list[float]) -> None:
    middle, longest = statistics.median(seconds), max(seconds)
    record(what, f"median {middle:.3f} s, longest {longest:.3f} s")
    print(f"{what}: median {middle:.3f} s, longest {longest:.3f} s")


def test_a_new_session_opens_within_three_seconds_from_every_address(
    nginx: Binary, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    def work() -> None:
        nodes = machines(2, slots=16)
        with world(tmp_path, nginx, nodes=nodes, forwarded_allow_ips=("127.0.0.1",)) as made:
            assert max(clients(made, HANDSHAKE)) < 1
            cut_off("127.0.0.3")
            for method, path in (("GET", HANDSHAKE), ("GET", "/"), ("POST", "/")):
                seconds = clients(made, path, method)
                report(record_property, f"{method} {path}", seconds)
                assert max(seconds) < 3
                assert max(seconds) > 0.4, "nobody met the machine that is cut off"

    in_a_network_of_its_own(work)


def test_a_session_of_the_machine_fails_within_two_seconds(
    nginx: Binary, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    def work() -> None:
        with world(tmp_path, nginx, nodes=machines(2, slots=4)) as made:
            assert made.ask(f"{HANDSHAKE}&sid=b1-abc").body == b"b1"
            cut_off("127.0.0.3")
            request = {"path": f"{HANDSHAKE}&sid=b1-abc", "body": b"x"}
            replies = made.ask_together({**request, "method": word} for word in ("GET", "POST"))
            report(record_property, "session", [reply.seconds for reply in replies])
            assert [reply.status for reply in replies] == [504, 504]
            assert max(reply.seconds for reply in replies) < 2
            assert made.ask(f"{HANDSHAKE}&sid=a1-abc").seconds < 0.5

    in_a_network_of_its_own(work)


def test_three_machines_may_lose_two(
    nginx: Binary, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    def work() -> None:
        nodes = machines(3, slots=8)
        with world(tmp_path, nginx, nodes=nodes, forwarded_allow_ips=("127.0.0.1",)) as made:
            cut_off("127.0.0.2")
            cut_off("127.0.0.4")
            for path in (HANDSHAKE, "/"):
                seconds = clients(made, path)
                report(record_property, f"two of three cut off, {path}", seconds)
                assert max(seconds) < 3

    in_a_network_of_its_own(work)
