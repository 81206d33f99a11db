"""The page's reducer under Node's own test runner."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.integration.waiting import SCALE

NODE = os.environ.get("SIOCLUSTER_TEST_NODE", "node")


def test_the_reducer_keeps_its_promises() -> None:
    script = Path(__file__).with_name("store.test.mjs")
    done = subprocess.run(
        [NODE, "--test", str(script)], capture_output=True, text=True, timeout=60 * SCALE
    )
    assert done.returncode == 0, done.stdout + done.stderr
