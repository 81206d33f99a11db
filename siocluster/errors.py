"""The error tree: whose fault it is, what to do about it, and the exit code it ends with.

Exit codes are part of the command's contract: scripts and service managers may branch on them.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_INTERNAL = 1  # a fault of siocluster's own
EXIT_USAGE = 2  # an option, a variable or the config file is wrong (click's own code, too)
EXIT_TARGET = 3  # the app cannot be loaded; starting again without a change will not help
EXIT_BUSY = 4  # a port or the run-dir belongs to someone else
EXIT_REDIS = 5  # Redis is absent, refuses, or is too old
EXIT_FRONT = 6  # nginx is absent, too old, or refuses its file


class SioclusterError(Exception):
    """An error that a person can act on.

    `message` says what is wrong and whose fault it is, `hint` what to do, `detail` holds lines
    worth showing below both (an app's own traceback, nginx's own words). None of them may hold
    a secret.
    """

    exit_code = EXIT_INTERNAL

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class SettingsError(SioclusterError):
    """A flag, an environment variable or a config file that cannot be used."""

    exit_code = EXIT_USAGE


class TargetError(SioclusterError):
    """The target module, its attribute, or what it holds."""

    exit_code = EXIT_TARGET


class BusyError(SioclusterError):
    """A port, a run-dir or a node's name that another process holds."""

    exit_code = EXIT_BUSY


class RedisError(SioclusterError):
    """A Redis that cannot be found, reached, or used."""

    exit_code = EXIT_REDIS


class NotStoredError(SioclusterError):
    """An emit that Redis has not stored: it is full, or was away for longer than emits wait.

    When it was refused, no client got it and none will. When Redis did not answer in time, that is
    not known: the message says which. With a message id the app may send it again in either case.
    """

    exit_code = EXIT_REDIS


class FrontError(SioclusterError):
    """An nginx that cannot be found or will not take its file."""

    exit_code = EXIT_FRONT


class SpawnError(SioclusterError):
    """A process that the system will not start: no memory, no descriptors, a folder gone."""


class WireError(SioclusterError):
    """Bytes between master and worker that neither of them should have sent."""


class ReportedError(SioclusterError):
    """An error that a worker process met and told the master about, with its own exit code."""

    def __init__(self, message: str, *, hint: str, detail: str, exit_code: int) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.exit_code = exit_code
