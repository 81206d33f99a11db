"""Run the scripts of tests/js: the stock JavaScript client in Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent.parent / "js"
SCALE = float(os.environ.get("SIOCLUSTER_TEST_SCALE", "1"))
SECONDS = 60 * SCALE


def run_script(name: str, *check: str, **options: object) -> Any:
    """The JSON that a script prints last; an AssertionError with its words when it fails."""
    done = subprocess.run(
        _command(name, *check, **options), capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, f"{name} {check} failed:\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def running_script(name: str, *check: str, **options: object) -> Iterator[Script]:
    """A script that runs beside the test; its stdin is closed and it is waited for at the end."""
    process = subprocess.Popen(
        _command(name, *check, **options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Script(process)
        finally:
            process.kill()


class Script:
    """What a running script says, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> Any:
        """Its next line; waits for it. The script's own deadline ends a wait in vain."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the script ended without another line"
        return json.loads(line)

    def lines(self) -> Iterator[Any]:
        """All lines that are still to come, as they come."""
        assert self._process.stdout is not None
        return map(json.loads, self._process.stdout)

    def let_go(self) -> None:
        """Close its stdin: it says its last lines and ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def end(self) -> list[Any]:
        """Close its stdin and give all lines that it still prints."""
        stdout, _ = self._process.communicate(timeout=SECONDS)
        return [json.loads(line) for line in stdout.splitlines()]


def _command(name: str, *check: str, **options: object) -> list[str]:
    node = shutil.which("node")
    assert node, "there is no node program: `make setup` says how to get one"
    return [node, str(SCRIPTS / name), *check, json.dumps(options)]
