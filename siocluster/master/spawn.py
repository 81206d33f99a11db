"""Start a worker: a fresh interpreter that inherits its listener and a pipe."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from siocluster.errors import SpawnError
from siocluster.wire import PIPE_VARIABLE, SLOT_VARIABLE, Boot, Message, Reader, encode

READ_SIZE = 65536
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # loaded before the fork: nothing may be imported between it and exec
CHECKOUT = Path(__file__).parent.parent.parent
UNWANTED = (SLOT_VARIABLE, "FLASK_RUN_FROM_CLI", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID")


class Process:
    """A worker's process and the master's end of its pipe; making one raises SpawnError."""

    def __init__(self, boot: Boot, *, environ: Mapping[str, str]) -> None:
        self.pipe, theirs = socket.socketpair()
        self.hung_up = False
        self._reader = Reader()
        inherited = [theirs.fileno()] + ([boot.listener] if boot.listener >= 0 else [])
        try:
            self._popen = subprocess.Popen(
                worker_command(),
                env=_environment(boot, environ, pipe=theirs.fileno()),
                cwd=boot.folder,
                stdin=subprocess.DEVNULL,
                pass_fds=inherited,
                # Ctrl-C is for the master alone; it tells the workers what to do.
                process_group=0,
                preexec_fn=_die_with_master,
            )
        except OSError as error:
            self.pipe.close()
            raise SpawnError(
                f"A worker's process cannot be started: {error}.",
                hint=f"It would run {worker_command()[0]} in {boot.folder}.",
            ) from None
        finally:
            theirs.close()
        self._send(encode(boot))

    def _send(self, data: bytes) -> None:
        # A worker that died at once is reaped like any other; it needs no message.
        try:
            self.pipe.sendall(data)
        except OSError:
            return
        finally:
            self.pipe.setblocking(False)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def fileno(self) -> int:
        return self.pipe.fileno()

    def receive(self) -> Iterator[Message]:
        """What has arrived; raises WireError. Never blocks."""
        while data := self._read():
            yield from self._reader.feed(data)

    def _read(self) -> bytes:
        try:
            data = self.pipe.recv(READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        self.hung_up = not data
        return data

    def send_signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def exited(self) -> bool:
        return self._popen.poll() is not None

    def describe(self) -> str:
        """How it ended, in words."""
        return describe_exit(self._popen.returncode)

    def close(self) -> None:
        """Close the pipe; a process that still runs takes that for the master's end."""
        self.pipe.close()

    def kill(self) -> None:
        """End it now and reap it."""
        self.close()
        self._popen.kill()
        self._popen.wait()


def _die_with_master() -> None:
    """Ask the kernel for SIGKILL when the master dies: a blocked hub cannot see the pipe end."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def worker_command() -> list[str]:
    """The worker's code: fork_server.py in a checkout, the same module in an installed wheel."""
    script = CHECKOUT / "fork_server.py"
    if script.is_file() and (CHECKOUT / "pyproject.toml").is_file():
        return [sys.executable, str(script)]
    return [sys.executable, "-m", "siocluster.worker"]


def _environment(boot: Boot, environ: Mapping[str, str], *, pipe: int) -> dict[str, str]:
    # FLASK_RUN_FROM_CLI turns Flask-SocketIO to threads; the others are the master's own.
    kept = {key: value for key, value in environ.items() if key not in UNWANTED}
    kept[PIPE_VARIABLE] = str(pipe)
    if boot.purpose == "serve":
        kept[SLOT_VARIABLE] = str(boot.slot)
    return kept


def describe_exit(code: int | None) -> str:
    """ "exit code 3", "SIGKILL", or "signal 35" for one that has no name."""
    if code is None:
        return "still running"
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
