"""The lease on a node's name: two machines with one name on one Redis would mix their sids."""

from __future__ import annotations

import json
import logging

import gevent
import redis

from siocluster.bus import redis_check
from siocluster.bus.names import Names
from siocluster.errors import BusyError

log = logging.getLogger(__name__)
LEASE_SECONDS = 10
RENEW_SECONDS = 3

# KEYS[1] the lease; ARGV[1] owner, ARGV[2] what to store, ARGV[3] milliseconds.
# Returns what another owner has stored, or nothing when the lease is ours now.
TAKE = """
local held = redis.call('GET', KEYS[1])
if held and cjson.decode(held).owner ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return false
"""


class NodeLease:
    """Taken by the first process of a cluster, renewed by each of its workers.

    `owner` is the same for all processes of one master, and for its next start on the same
    machine and run-dir: a restart need not wait until the lease expires.
    """

    def __init__(
        self, client: redis.Redis, *, prefix: str, name: str, node: str, owner: str
    ) -> None:
        self._client = client
        self._take = client.register_script(TAKE)
        self._key = f"{Names(prefix).root}node:{node}"
        self._owner = owner
        self._name = name
        self._node = node

    def take(self) -> None:
        """Raise BusyError, naming the holder, unless the lease is ours."""
        held = self._take(
            keys=[self._key],
            args=[self._owner, json.dumps({"owner": self._owner}), LEASE_SECONDS * 1000],
        )
        if held:
            raise self._taken(held)

    def look(self) -> None:
        """Raise BusyError if another owner holds it; take nothing."""
        held = str(self._client.get(self._key) or "")
        if held and owner_in(held) != self._owner:
            raise self._taken(held)

    def _taken(self, held: str) -> BusyError:
        return BusyError(
            f"Node {self._node} of {self._name} runs already: {holder(held)}.",
            hint="Give this machine another --node, or this app another --name.",
        )

    def keep(self) -> None:
        """Renew for ever; an outage of Redis is the link's matter, not this one's."""
        while True:
            gevent.sleep(RENEW_SECONDS)
            try:
                self.take()
            except BusyError as error:
                log.error("%s", error.message)
            except redis.exceptions.RedisError:
                log.debug("The node's lease could not be renewed.")


def holder(held: str) -> str:
    """Who holds it, in words: "HOST, workers at ADDRESS, run-dir DIR"."""
    return owner_in(held).partition("#")[0] or "an unknown machine"


def owner_in(held: str) -> str:
    """The owner that a stored lease names; empty for what is no lease of ours."""
    try:
        return str(json.loads(held)["owner"])
    except (ValueError, KeyError, TypeError):
        return ""


def open_lease(url: str, *, prefix: str, name: str, node: str, owner: str) -> NodeLease:
    """A lease on a connection of its own."""
    client = redis_check.connect(url)
    return NodeLease(client, prefix=prefix, name=name, node=node, owner=owner)
