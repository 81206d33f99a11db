"""Whether a Redis can serve: it answers, lets us in, is new enough, and can be written to."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis

from siocluster.bus import dial
from siocluster.errors import RedisError
from siocluster.redis_versions import is_too_old

SECONDS_TO_ANSWER = 5


def shown(url: str) -> str:
    """The URL without its password and user, fit for a log."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _scheme_alone(url)
    if "@" in parts.path + parts.query + parts.fragment:
        # A / ? or # in a password that is not encoded: what looks like a host is the password.
        return _scheme_alone(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = parts.netloc.rpartition("@")[2] or "localhost:6379"
    return f"{parts.scheme}://{host}{parts.path}"


def _scheme_alone(url: str) -> str:
    return f"{url.partition('://')[0]}://…"


def connect(url: str) -> redis.Redis:
    """A client for a few commands; raises RedisError for a URL that cannot be one."""
    if url.startswith(f"{dial.SENTINEL}://"):
        return _of_sentinels(url)
    try:
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=SECONDS_TO_ANSWER,
            socket_connect_timeout=SECONDS_TO_ANSWER,
        )
        # Options after the ? are looked at only where a connection is made.
        pool = client.connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, AttributeError, redis.exceptions.RedisError) as error:
        raise _no_url(url, error) from None
    return client


def _of_sentinels(url: str) -> redis.Redis:
    try:
        return redis.Redis(connection_pool=dial.pool(url, protocol=2, decode_responses=True))
    except (redis.exceptions.RedisError, OSError) as error:
        raise RedisError(
            f"No Sentinel of {shown(url)} knows a primary of that name: {error}",
            hint="redis+sentinel://user:password@host:26379,host:26379/service/0",
        ) from None


def _no_url(url: str, error: Exception) -> RedisError:
    # The library's words may quote a piece of the password.
    reason = "" if "@" in url else f": {error}"
    return RedisError(
        f"{shown(url)} is no Redis URL{reason}.",
        hint="redis://user:password@host:port/0; in a password / ? # [ ] @ are"
        " percent-encoded, such as %2F for /. What follows a ? are options of redis-py.",
    )


def check(url: str) -> str:
    """Name and version of the Redis at `url`, such as "Redis 7.0.15"; raises RedisError."""
    with connect(url) as client:
        try:
            server, replication = _info(client)
        except redis.exceptions.RedisError as error:
            raise explain(url, error) from None
        except AttributeError as error:
            # Of an option after the ? that only the first command uses, such as retry.
            raise _no_url(url, error) from None
        version = _version(server)
        if is_too_old(version):
            raise _too_old(url, version)
        _check_role(url, server, replication)
        try:
            client.set("siocluster:check", "1", px=1000)
        except redis.exceptions.RedisError as error:
            raise explain(url, error) from None
        return version


def _info(client: redis.Redis) -> tuple[dict[str, object], dict[str, object]]:
    return client.info("server"), client.info("replication")


def _version(server: dict[str, object]) -> str:
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server.get('redis_version', '?')}"


def _too_old(url: str, version: str) -> RedisError:
    return RedisError(
        f"{shown(url)} is {version}; siocluster needs Redis 7.0 or Valkey 7.2, or later.",
        hint="Upgrade it, or leave --redis out: the cluster starts one of its own.",
    )


def _check_role(url: str, server: dict[str, object], replication: dict[str, object]) -> None:
    # Redis says redis_mode; Valkey says server_mode since 9.0.
    if "cluster" in (server.get("redis_mode"), server.get("server_mode")):
        raise RedisError(
            f"{shown(url)} is part of a Redis Cluster, which siocluster does not support yet.",
            hint="Use a single Redis.",
        )
    if replication.get("role") == "slave":
        raise RedisError(
            f"{shown(url)} is a read-only replica of"
            f" {replication.get('master_host')}:{replication.get('master_port')}.",
            hint="Name the primary instead.",
        )


def explain(url: str, error: redis.exceptions.RedisError) -> RedisError:
    """What a failed command means, and what to do."""
    where, words = shown(url), str(error)
    if "unknown command" in words and "HELLO" in words:
        return _too_old(url, "older than Redis 6.0")
    # The last of them is what redis-py before 6 makes of NOAUTH.
    if any(part in words for part in ("NOAUTH", "HELLO must be called", "Authentication required")):
        return RedisError(
            f"{where} asks for a password.",
            hint="Put it into the URL: redis://:password@host:port/0",
        )
    if isinstance(error, redis.exceptions.AuthenticationError):
        return RedisError(
            f"{where} refuses this user or password: {words}",
            hint="Put them into the URL: redis://user:password@host:port/0",
        )
    if isinstance(error, redis.exceptions.TimeoutError):
        return RedisError(f"{where} does not answer within {SECONDS_TO_ANSWER} s.")
    if isinstance(error, redis.exceptions.ConnectionError):
        return RedisError(
            f"{where} cannot be reached: {words}",
            hint="Start it, or leave --redis out: the cluster starts one of its own.",
        )
    if isinstance(error, redis.exceptions.ReadOnlyError):
        return RedisError(f"{where} is read-only: {words}", hint="Name the primary instead.")
    return RedisError(f"{where} refuses what siocluster needs: {words}")
