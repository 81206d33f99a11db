"""What a user of Redis must be allowed, and what of it this one is not.

Redis's own default user may do all of it. One with an ACL of its own needs, for an app of the name
shop:

    ACL SETUSER shop on >password
        ~{siocluster:shop}:* &{siocluster:shop}:* &siocluster:shop
        +info +evalsha +script|load +subscribe +unsubscribe +publish +time
        +get +set +del +expire +sadd +srem +srandmember
        +hget +hset +hmget +hdel +hexists +hgetall +hincrby
        +xadd +xrange +xrevrange +xtrim
        +zadd +zrem +zcard +zscore +zpopmin
        +zrangebyscore +zrevrangebyscore +zremrangebyrank +zremrangebyscore

and `+role` with Sentinels, `+select` for a database other than 0. Keys and channels begin with the
prefix of the bus in braces; the channel without braces is where programs outside emit to, which is
`&flask-socketio` for an app with a `message_queue` that names no other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import redis

from siocluster.bus.names import Names

# Each with as many words as Redis wants of it: 7.0 dies of a question about fewer.
PLAIN = ("info", "evalsha 0 0", "script|load 0", "time")
ON_CHANNELS = ("subscribe CHANNEL", "unsubscribe CHANNEL", "publish CHANNEL 0")
ON_KEYS = (
    *("get KEY", "set KEY 0", "del KEY", "expire KEY 1"),
    *("sadd KEY 0", "srem KEY 0", "srandmember KEY"),
    *("hget KEY 0", "hset KEY 0 0", "hmget KEY 0", "hdel KEY 0", "hexists KEY 0", "hgetall KEY"),
    *("hincrby KEY 0 1", "xadd KEY * 0 0", "xrange KEY - +", "xrevrange KEY + -"),
    *("xtrim KEY MAXLEN 1", "zadd KEY 0 0", "zrem KEY 0", "zcard KEY", "zscore KEY 0"),
    *("zpopmin KEY", "zrangebyscore KEY 0 0", "zrevrangebyscore KEY 0 0"),
    *("zremrangebyrank KEY 0 0", "zremrangebyscore KEY 0 0"),
)
# Which of the commands in ARGV[1] the caller may not run, each by its place. Asked in a script, for
# ACL DRYRUN would itself want a permission. What only resembles Redis may not know the question.
ASK = """
local refused = {}
if not redis.acl_check_cmd then return refused end
for place, words in ipairs(cjson.decode(ARGV[1])) do
  if not redis.acl_check_cmd(unpack(words)) then refused[#refused + 1] = place end
end
return refused
"""


def rules(*, prefix: str, channel: str) -> str:
    """For ACL SETUSER, what it says after the user's name and password."""
    root = Names(prefix).root
    commands = " ".join(map(_rule, (*PLAIN, *ON_CHANNELS, *ON_KEYS)))
    return f"~{root}* &{root}* &{channel} {commands}"


def refused(client: redis.Redis, *, key: str, channels: Sequence[str]) -> list[str]:
    """What the user of `client` lacks there, in the words of ACL rules.

    Raises redis.exceptions.RedisError, as where it may not even ask.
    """
    needed = {_rule(line): _words(line) for line in PLAIN}
    needed |= {_rule(line): _words(line, KEY=key) for line in ON_KEYS}
    for channel in channels:
        needed |= {
            f"{_rule(line)} &{channel}": _words(line, CHANNEL=channel) for line in ON_CHANNELS
        }
    ask: Any = client.register_script(ASK)
    labels = list(needed)
    lacks = [labels[int(place) - 1] for place in ask(args=[json.dumps(list(needed.values()))])]
    of_keys = [_rule(line) for line in ON_KEYS]
    if set(of_keys) <= set(lacks):  # it is the key that is refused
        lacks = [f"~{key}", *(one for one in lacks if one not in of_keys)]
    return lacks


def _rule(line: str) -> str:
    return f"+{line.split()[0]}"


def _words(line: str, **values: str) -> list[str]:
    name, *arguments = line.split()
    return [*name.split("|"), *(values.get(one, one) for one in arguments)]
