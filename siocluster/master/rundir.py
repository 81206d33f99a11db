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
DATA_LOCK = "redis.lock"
IGNORE_FILE = ".gitignore"
IGNORE_TEXT = "# siocluster made this folder and owns all in it.\n*\n"


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
    refuse_foreign(path, option="--run-dir", ours=_is_run_dir(path))
    make_private(path, option="--run-dir")
    (path / IGNORE_FILE).write_text(IGNORE_TEXT)
    lock = lock_file(path / PID_FILE, "--run-dir", path)
    return RunDir(path=path, sockets=_socket_folder(path), _lock=lock)


def refuse_foreign(path: Path, *, option: str, ours: bool) -> None:
    """Raise SettingsError for a folder with files in it that are not ours.

    The folder is made private and files in it are replaced: that must not happen to `/tmp`.
    """
    if not ours and path.is_dir() and os.access(path, os.R_OK) and any(path.iterdir()):
        raise SettingsError(
            f"{option} {path} has files in it that are not siocluster's.",
            hint="Name a folder that is empty or does not exist: siocluster makes it private.",
        )


def _is_run_dir(path: Path) -> bool:
    """Made by an earlier start, a master that was killed included."""
    ignore = path / IGNORE_FILE
    try:
        return (path / PID_FILE).exists() or ignore.read_text() == IGNORE_TEXT
    except (OSError, UnicodeDecodeError):
        return False


def is_data_dir(path: Path) -> bool:
    """Used by a Redis of ours before; its append-only folder alone is a backup, brought back."""
    return (path / DATA_LOCK).exists() or (path / "appendonlydir").exists()


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
    """A locked descriptor of `file`, our pid in it; raises BusyError naming the holder's."""
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
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
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
