"""Run a program, say what it is for, and turn its failure into something to act on."""

import os
import pwd
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.setup.place import ROOT, VENV

HANG = 1800  # seconds
TAIL = 20  # lines of a failed program's output that are worth a screen

# Node brings its own list of authorities and looks at no other; a machine behind a proxy of its
# owner's has one more in the system's list. Debian, Fedora, SUSE.
AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
)

# What a person has exported for work of another kind and would lead pip or Python elsewhere.
MISLEADING = frozenset({"PYTHONHOME", "PYTHONPATH", "PIP_PREFIX", "PIP_TARGET", "PIP_USER"})


class Stop(Exception):
    """Setup cannot go on. `hint` is what to do, a line to type where there is one."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def tell(line: str) -> None:
    print(f"setup: {line}", flush=True)


def run(command: Sequence[str | Path], *, doing: str, hint: str) -> None:
    """Run `command` in the project's folder; raises Stop with the end of what it printed."""
    _require_own_venv()
    tell(f"{doing} …")
    result = attempt(command)
    if result.returncode != 0:
        shown = "\n".join(result.stdout.strip().splitlines()[-TAIL:])
        raise Stop(f"{doing}: failed (exit {result.returncode}).\n{shown}", hint=hint)


def attempt(
    command: Sequence[str | Path], *, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `command`, its output and errors in `stdout`; an absent program is exit code 127.

    One that hangs is ended: the slowest of them, a large download, has its own time limits.
    """
    try:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment(os.environ) | dict(extra or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=HANG,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(list(command), 124, stdout=f"No end in {HANG} s.")
    except OSError as error:
        return subprocess.CompletedProcess(list(command), 127, stdout=str(error))


def not_ours(path: str | Path) -> Stop:
    return Stop(
        f"{path} cannot be written by this user.",
        hint="Was it made by another user, or with sudo? Remove it as that user, or work in a clone"
        " of your own.",
    )


def _require_own_venv() -> None:
    if VENV.exists() and not os.access(VENV, os.W_OK):
        raise not_ours(VENV)


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """The environment for programs started here, made from this process's `own`."""
    kept = {name: value for name, value in own.items() if name not in MISLEADING}
    kept["HOME"] = str(_home(own.get("HOME", "")))
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    # npm, unlike pip, gives up on a cache that it cannot write.
    kept["npm_config_cache"] = str(VENV / "npm-cache")
    kept["npm_config_update_notifier"] = "false"
    if authorities := next(filter(os.path.isfile, AUTHORITIES), None):
        kept.setdefault("NODE_EXTRA_CA_CERTS", authorities)
    return kept


def _home(named: str) -> Path:
    """A home that can be read and written: after `su`, HOME may still be the other user's."""
    for candidate in (named, _home_of_record()):
        if candidate and os.path.isdir(candidate) and os.access(candidate, os.R_OK | os.W_OK):
            return Path(candidate)
    substitute = VENV / "home"
    substitute.mkdir(parents=True, exist_ok=True)
    return substitute


def _home_of_record() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def complain(stop: Stop) -> None:
    print(f"setup: {stop.message}\n       {stop.hint}", file=sys.stderr, flush=True)
