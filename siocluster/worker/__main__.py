"""A worker's first steps: `python -m siocluster.worker`, and fork_server.py in a checkout."""

from gevent import monkey

# Before anything else is imported: what has been imported unpatched blocks the whole hub.
monkey.patch_all()

from siocluster.worker.main import main  # noqa: E402

__all__ = ["main"]

if __name__ == "__main__":
    main()
