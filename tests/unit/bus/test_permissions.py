"""What a user of Redis may do, asked of a real server about users with ACLs of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from siocluster.bus import permissions, redis_check
from siocluster.errors import RedisError
from tests.unit.redis_servers import redis_server

SCRIPTS = Path(permissions.__file__).with_name("lua")
PREFIX, CHANNEL = "siocluster:shop", "shop-outside"
RULES = permissions.rules(prefix=PREFIX, channel=CHANNEL)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with redis_server() as port:
        yield port


def allow(port: int, rules: str) -> str:
    """The URL of a user who may do that alone."""
    with redis.Redis("127.0.0.1", port) as client:
        client.execute_command("ACL", "SETUSER", "shop", "reset", "on", ">p", *rules.split())
    return f"redis://shop:p@127.0.0.1:{port}/0"


def refusal(url: str) -> RedisError:
    with pytest.raises(RedisError) as caught:
        redis_check.check(url, prefix=PREFIX, channel=CHANNEL)
    return caught.value


def test_a_user_who_may_do_what_the_rules_say_is_let_in(port: int) -> None:
    assert redis_check.check(allow(port, RULES), prefix=PREFIX, channel=CHANNEL)


@pytest.mark.parametrize("rule", RULES.split())
def test_each_rule_that_is_missing_is_told(port: int, rule: str) -> None:
    """Also those that are needed only to ask; then in Redis's own words."""
    url = allow(port, " ".join(one for one in RULES.split() if one != rule))
    name = rule.strip("+~&").replace("*", "check")
    assert name in refusal(url).message


def test_the_hint_is_all_that_has_to_be_said_to_redis(port: int) -> None:
    hint = refusal(allow(port, "+@all")).hint
    assert RULES in hint
    assert redis_check.check(allow(port, RULES), prefix=PREFIX, channel=CHANNEL)


def test_a_whole_pattern_that_is_missing_is_told_as_one(port: int) -> None:
    message = refusal(allow(port, f"&* +@all ~{{{PREFIX}}}x*")).message
    assert message.endswith(f"its user lacks ~{{{PREFIX}}}:check.")


ALL = (*permissions.PLAIN, *permissions.ON_CHANNELS, *permissions.ON_KEYS)


def test_every_command_of_the_scripts_is_in_the_rules() -> None:
    texts = "".join(file.read_text() for file in SCRIPTS.glob("*.lua"))
    called = re.findall(r"redis\.call\('(\w+)'", texts)
    assert len(called) == len(re.findall(r"redis\.p?call", texts))
    assert {name.lower() for name in called} <= {line.split()[0] for line in ALL}


@pytest.mark.parametrize("line", ALL)
def test_every_question_has_as_many_words_as_redis_wants(port: int, line: str) -> None:
    """Redis 7.0 looks for the keys of a command that is too short, and dies of it."""
    name, *arguments = line.split()
    with redis.Redis("127.0.0.1", port) as client:
        count = len(name.split("|")) + len(arguments)
        wanted = client.execute_command("COMMAND", "INFO", name)[name]["arity"]
    assert count == wanted if wanted > 0 else count >= -wanted
