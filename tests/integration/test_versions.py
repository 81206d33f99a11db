"""A worker of another version than its master says so in its own words, and what to do."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

from siocluster import wire
from siocluster.errors import EXIT_INTERNAL
from siocluster.wire import Boot, Failed, Message, Reader
from tests.integration.app_server import APPS, ROOT, environment
from tests.integration.waiting import SCALE

SECONDS = 30 * SCALE
BOOT = Boot(purpose="inspect", target="broken.healthy:app", folder=str(APPS), name="shop", node="a")


def told(line: bytes) -> tuple[list[Message], subprocess.CompletedProcess[str]]:
    """What a worker answers to this first line, all of it, and how it ended."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(line)
        ended = subprocess.run(
            [sys.executable, str(ROOT / "fork_server.py")],
            cwd=APPS,
            env=environment({wire.PIPE_VARIABLE: str(theirs.fileno())}),
            pass_fds=[theirs.fileno()],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        ours.settimeout(SECONDS)
        return list(Reader().feed(ours.recv(1 << 20))), ended


def test_worker_that_meets_another_version_tells_its_master_what_to_do() -> None:
    body = json.loads(wire.encode(BOOT)) | {"version": wire.VERSION + 1}
    (failed,), ended = told(json.dumps(body).encode() + b"\n")
    assert isinstance(failed, Failed)
    assert "different versions" in failed.message
    assert "stop it and start it again" in failed.hint
    assert (ended.returncode, failed.exit_code) == (EXIT_INTERNAL, EXIT_INTERNAL)
    assert "Traceback" not in ended.stderr + failed.detail


def test_worker_that_understands_goes_on() -> None:
    answers, ended = told(wire.encode(BOOT))
    assert [answer.kind for answer in answers] == ["hello", "inspected"]
    assert ended.returncode == 0
