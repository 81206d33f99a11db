"""The run-dir: one master's pid file, sockets and generated files, held by a lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from siocluster.errors import BusyError, SettingsError

LONGEST_SOCKET_PATH = 100  # sun_path has 108 bytes (unix(7)); room for a file name's change
PID_FILE = "master.pid"


@dataclass(slots=True)
class RunDir:
    """An open run-dir; the lock goes with the process, so a stale pid file refuses nobody."""

    path: Path
    sockets: Path
    _lock: int

    def close(self) -> None:
        (self.path / PID_FILE).unlink(missing_ok=True)
        if self.sockets != self.path:
            for leftover in self.sockets.iterdir():
                leftover.unlink()
            self.sockets.rmdir()
        os.close(self._lock)

    def write(self, name: str, text: str) -> Path:
        """Write a file so that a reader sees the old one or the new one, never a half."""
        target = self.path / name
        draft = target.with_name(f".{target.name}.new")
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(target)
        return target


def open_run_dir(path: Path) -> RunDir:
    """Make and lock the run-dir; raises BusyError with the holder's pid, or SettingsError."""
    make_private(path, option="--run-dir")
    ignore = path / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    lock = lock_file(path / PID_FILE, "--run-dir", path)
    os.truncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return RunDir(path=path, sockets=_socket_folder(path), _lock=lock)


def make_private(path: Path, *, option: str) -> None:
    """A folder that only this user enters; raises SettingsError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise SettingsError(
            f"{option} {path} cannot be used: {error.strerror}.",
            hint=f"Choose a folder that this user may write, with {option}.",
        ) from None


def lock_file(file: Path, option: str, path: Path) -> int:
    """A locked descriptor of `file`; raises BusyError naming the holder's pid."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise BusyError(
            f"{option} {path} belongs to a running master, pid {holder}.",
            hint=f"Stop it (kill {holder}), or choose another {option}.",
        ) from None
    if not _is_at(file, descriptor):
        # Its holder removed it between our open and our lock: the next one would lock a new file.
        os.close(descriptor)
        return lock_file(file, option, path)
    return descriptor


def _is_at(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False


def _socket_folder(path: Path) -> Path:
    """The run-dir itself, or a private folder whose name is short enough for a socket."""
    if len(os.fsencode(path)) + len("/redis.sock") <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"siocluster-{os.getuid()}-{digest}"
    # Anybody may have been there first: what is not ours is neither followed nor changed.
    if short.is_symlink() or (short.exists() and short.stat().st_uid != os.getuid()):
        raise SettingsError(f"{short} belongs to someone else.", hint="Choose a shorter --run-dir.")
    make_private(short, option="--run-dir")
    return short
