"""The wheel in use: installed away from the checkout, run in an empty folder, without Node."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.waiting import SECONDS_TO_START, free_ports, is_ready, wait_until
from tests.packaging.builds import build, copy_tree

# The command as pip's script has it; `-P` keeps the folder it is typed in off the path.
COMMAND = [sys.executable, "-P", "-c", "from siocluster.cli import main; main()"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed wheel; what it depends on is the test's own."""
    folder = tmp_path_factory.mktemp("installed")
    result = build("wheel", tree=copy_tree(folder / "tree"), into=folder / "wheel")
    assert result.returncode == 0, result.stderr
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    (wheel,) = (folder / "wheel").glob("*.whl")
    subprocess.run([*install, "--target", folder / "site", wheel], check=True)
    return folder / "site"


@contextmanager
def running(site: Path, *, folder: Path, port: int, base_port: int) -> Iterator[Path]:
    """The installed command with its default target; gives the file that it writes to."""
    folder.mkdir()
    log = folder.with_suffix(".log")
    options = ["--workers", "2", "--bind", f"127.0.0.1:{port}", "--base-port", str(base_port)]
    environ = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(site)}
    with log.open("w") as output:
        process = subprocess.Popen(
            [*COMMAND, *options], cwd=folder, env=environ, stdout=output, stderr=output
        )
    try:
        wait_until(
            lambda: process.poll() is not None or is_ready(port),
            words="the installed chat to be ready",
            log=log.read_text,
        )
        assert process.poll() is None, log.read_text()
        yield log
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_TO_START) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        return bytes(response.read())


def test_installed_wheel_runs_the_chat_in_an_empty_folder(site: Path, tmp_path: Path) -> None:
    port, base_port, *_ = free_ports(5)
    url = f"http://127.0.0.1:{port}"
    with running(site, folder=tmp_path / "empty", port=port, base_port=base_port) as log:
        page = fetch(f"{url}/").decode()
        client = fetch(f"{url}/static/vendor/socket.io.esm.min.js")
        handshake = fetch(f"{url}/socket.io/?EIO=4&transport=polling&roomid=lobby")
        assert "siocluster.chatapp:socketio" in log.read_text()
    assert re.search(r"<title>.+</title>", page)
    assert client == (site / "siocluster/static/vendor/socket.io.esm.min.js").read_bytes()
    assert re.match(rb'0\{"sid":"a[01]-', handshake)
    assert os.listdir(tmp_path / "empty") == [".siocluster"]
