"""Listening sockets: bound by the master before anyone starts, shared with the workers.

A listener is an open file description that master and worker share. While it listens, people who
connect wait in the backlog until a worker takes them, so a quick restart refuses nobody. A
backlog that nobody empties swallows them instead: a slot without a worker for long is muted. It
keeps its port and refuses, and nginx moves on at once.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

from siocluster.address import Address, reachable
from siocluster.errors import BusyError, SettingsError, SioclusterError

BACKLOG = 2048


class Listener:
    """One bound TCP socket. Starts muted."""

    def __init__(self, address: Address) -> None:
        """Bind; raises BusyError or SettingsError naming the address."""
        self.address = address
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            self._socket = _bound(family, address)
        except OSError as error:
            raise bind_error(address, error) from None
        self.listening = False
        self._forbid_reuse()

    def fileno(self) -> int:
        return self._socket.fileno()

    def listen(self) -> None:
        """Take connections into the backlog (again)."""
        listen(self._socket)
        self.listening = True

    def mute(self) -> None:
        """Refuse connections and keep the port.

        shutdown() on a listening socket closes its backlog and leaves it bound; only a port
        bound by number, never 0, survives that (Linux).
        """
        # Whatever `listening` says: a worker may have listened and died before it told.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)
        self._forbid_reuse()
        self.listening = False

    def detach(self) -> int:
        """The bound socket's descriptor, which is the caller's from now on."""
        return self._socket.detach()

    def close(self) -> None:
        self._socket.close()

    def _forbid_reuse(self) -> None:
        # A muted socket that allows reuse would let another process bind and take the port.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


def _bound(family: socket.AddressFamily, address: Address) -> socket.socket:
    unbound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without it, connections of an earlier run in TIME_WAIT would hold the port.
        unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        unbound.bind((address.host, address.port))
    except OSError:
        unbound.close()
        raise
    return unbound


def listen(bound: socket.socket) -> None:
    """Listen on a bound socket, whoever muted it before."""
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.listen(BACKLOG)


def bind_all(addresses: list[Address]) -> list[Listener]:
    """A listener for each address, or none at all: raises the first one's error."""
    listeners: list[Listener] = []
    try:
        for address in addresses:
            listeners.append(Listener(address))
    except SioclusterError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def check_free(address: Address) -> None:
    """Raise BusyError or SettingsError unless `address` could be bound now."""
    probe = Listener(address)
    probe.close()


def answers(address: Address) -> bool:
    """Whether somebody accepts connections on `address` (or on loopback, if it means all)."""
    try:
        socket.create_connection((reachable(address.host), address.port), timeout=1).close()
    except OSError:
        return False
    return True


def bind_error(address: Address, error: OSError) -> SioclusterError:
    """The error of a failed bind, in words."""
    if error.errno == errno.EADDRINUSE:
        holder = port_holder(address.port)
        return BusyError(
            f"{address} is in use{f' by {holder}' if holder else ''}.",
            hint="Stop that process, or choose another --bind or --base-port.",
        )
    if error.errno == errno.EACCES:
        return SettingsError(
            f"{address} needs a privilege that this user does not have.",
            hint="Use a port from 1024 up, or grant CAP_NET_BIND_SERVICE (docs/deployment.md).",
        )
    return SettingsError(f"{address} is no address of this machine ({error.strerror}).")


def port_holder(port: int) -> str | None:
    """ "pid 12 (nginx)" of who listens on `port`, where /proc lets us see it.

    Of a family that shares the socket, as a master and its workers do, the eldest.
    """
    holders = _holders(_listening_inodes(port))
    for process in holders:
        with contextlib.suppress(OSError):
            if _parent(process) not in holders:
                return f"pid {process.name} ({_title(process)})"
    return None


def _holders(inodes: set[str]) -> list[Path]:
    """The folders in /proc of the processes that have one of these sockets open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if inodes.intersection(link.readlink().name for link in (process / "fd").iterdir()):
                found.append(process)
    return found


def _parent(process: Path) -> Path:
    """proc(5): the fourth field of stat, the second after the name in brackets."""
    return process.with_name((process / "stat").read_text().rpartition(")")[2].split()[1])


def _title(process: Path) -> str:
    """The program's name; of our own processes the whole title. Arguments may hold secrets."""
    title = (process / "cmdline").read_text(errors="replace").rstrip("\0 ")
    if title.startswith("siocluster: "):
        return title
    return (process / "comm").read_text(errors="replace").strip()


def _listening_inodes(port: int) -> set[str]:
    """`socket:[inode]` of each socket bound to `port` (proc_net_tcp: address:port in hex)."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, lines):
            if columns[1].endswith(f":{port:04X}") and columns[3] in ("0A", "07"):
                found.add(f"socket:[{columns[9]}]")
    return found
