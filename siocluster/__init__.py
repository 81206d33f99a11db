"""Runs a Flask-SocketIO app on every core of a machine, and on more machines.

Nothing is imported here: a worker imports this package before gevent has patched the process.
"""

__version__ = "0.1.0"
