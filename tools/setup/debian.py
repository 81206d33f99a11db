"""Debian's packages, where this process may install them."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tools.setup.command import attempt, tell

UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive"}


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str, *, reason: str) -> bool:
    """Whether `package` could be installed."""
    tell(f"Installing Debian's {package} ({reason}) …")
    # The lists may be old or, in a fresh container, absent. Whether that mattered, the next tells.
    attempt(["apt-get", "update"], extra=UNATTENDED)
    command = ["apt-get", "install", "-y", "--no-install-recommends", package]
    result = attempt(command, extra=UNATTENDED)
    if result.returncode != 0:
        tell(f"apt-get could not install {package}: {_last_line(result.stdout)}")
    return result.returncode == 0


def starts_services_at_boot() -> bool:
    return os.path.isdir("/run/systemd/system")


@contextmanager
def port_80_taken() -> Iterator[None]:
    """Debian's nginx starts itself once installed, unless somebody listens on port 80."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", 80))
            listener.listen()
        except OSError:
            pass  # somebody else has it, which serves as well
        yield


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or ["no word why"])[-1]
