"""Another program, with no client of its own, that gives orders to everybody's clients.

`python outside.py QUEUE_URL CHANNEL flask|socketio '[[method, arguments, keywords], …]'`
"""

import base64
import json
import sys
from operator import attrgetter
from typing import Any

import socketio
from flask_socketio import SocketIO


def through_flask(url: str, channel: str) -> Any:
    """`SocketIO` without an app, the way Flask-SocketIO's documentation has it."""
    return SocketIO(message_queue=url, **({"channel": channel} if channel else {}))


def through_manager(url: str, channel: str) -> Any:
    return socketio.RedisManager(url, write_only=True, **({"channel": channel} if channel else {}))


def value(data: Any) -> Any:
    """What stands for bytes in the orders becomes bytes."""
    if isinstance(data, dict):
        if "$bytes" in data:
            return base64.b64decode(data["$bytes"])
        return {key: value(item) for key, item in data.items()}
    return [value(item) for item in data] if isinstance(data, list) else data


if __name__ == "__main__":
    url, channel, way, orders = sys.argv[1:]
    outside = {"flask": through_flask, "socketio": through_manager}[way](url, channel)
    for method, args, keywords in json.loads(orders):
        attrgetter(method)(outside)(*value(args), **value(keywords))
