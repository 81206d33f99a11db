"""A worker's first steps: `python -m siocluster.worker`, and fork_server.py in a checkout."""

from gevent import monkey

# Before anything else is imported: what has been imported unpatched blocks the whole hub.
monkey.patch_all()

import os  # noqa: E402
from typing import NoReturn  # noqa: E402

from siocluster.wire import PIPE_VARIABLE  # noqa: E402
from siocluster.worker import foreground, under_master  # noqa: E402


def main() -> NoReturn:
    """Run under a master when one left a pipe, else in the foreground."""
    descriptor = os.environ.pop(PIPE_VARIABLE, None)
    if descriptor is None:
        foreground.main()
    under_master.main(int(descriptor))


if __name__ == "__main__":
    main()
