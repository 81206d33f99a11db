"""`python -m tools.setup run|tools|test`: what the Makefile calls first, whatever comes next."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tools.setup.command import Stop, complain, not_ours, tell
from tools.setup.for_tests import find_programs, install_scripts, install_system_packages
from tools.setup.packages import install_library, install_test_packages, make_venv
from tools.setup.page import fetch_client
from tools.setup.place import ROOT

RUN = (make_venv, install_library, fetch_client)
TOOLS = (*RUN, install_test_packages)
TEST = (*TOOLS, install_system_packages, install_scripts, find_programs)
GOALS = {"run": RUN, "tools": TOOLS, "test": TEST}


def main() -> int:
    try:
        with _one_at_a_time():
            for step in GOALS[sys.argv[1]]:
                step()
    except Stop as stop:
        complain(stop)
        return 1
    except PermissionError as error:
        complain(not_ours(error.filename))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two at once would install into each other's half-made `.venv`."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("Another setup is at work in this folder; waiting for it …")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


if __name__ == "__main__":
    sys.exit(main())
