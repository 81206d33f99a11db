"""Whether a Redis can serve: it answers, is new enough, and lets us do all that the bus does."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis

from siocluster.bus import dial, permissions, sentinels
from siocluster.bus.names import Names
from siocluster.errors import RedisError
from siocluster.redis_versions import is_too_old

SECONDS_TO_ANSWER = 5
WITH_TLS = "Does it want TLS there? With TLS the URL begins with rediss://"
WITHOUT_TLS = "Does it speak TLS there? Without TLS the URL begins with redis://"
PREFIX = CHANNEL = "siocluster:NAME"  # by default


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
    try:
        pool = dial.pool(url, decode_responses=True, socket_timeout=SECONDS_TO_ANSWER)
        # Options after the ? are looked at only where a connection is made.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, AttributeError, redis.exceptions.RedisError) as error:
        raise _no_url(url, error) from None
    return redis.Redis.from_pool(pool)


def _no_url(url: str, error: Exception) -> RedisError:
    # The library's words may quote a piece of the password.
    reason = "" if "@" in url or "password" in url else f": {error}"
    form = sentinels.FORM if _by_sentinels(url) else "redis://user:password@host:port/0"
    return RedisError(
        f"{shown(url)} is no Redis URL{reason}.",
        hint=f"{form}; in a password / ? # [ ] @ are percent-encoded, such as %2F for /."
        " What follows a ? are options of redis-py.",
    )


def _by_sentinels(url: str) -> bool:
    return url.startswith(f"{sentinels.SCHEME}://")


def check(url: str, *, prefix: str = "", channel: str = "") -> str:
    """Name and version of the Redis at `url`, such as "Redis 7.0.15"; raises RedisError.

    `prefix` is that of the bus, `channel` where programs outside emit to: whether its user may use
    them. Without a prefix the check has a key of its own, siocluster:check.
    """
    with connect(url) as client:
        try:
            server, replication = _info(client)
            version = _version(server)
            if is_too_old(version):
                raise _too_old(url, version)
            _check_role(url, server, replication)
            _check_permissions(url, client, prefix=prefix, channel=channel)
        except redis.exceptions.RedisError as error:
            raise explain(url, error) from None
        except AttributeError as error:
            # Of an option after the ? that only the first command uses, such as retry.
            raise _no_url(url, error) from None
        return version


def _check_permissions(url: str, client: redis.Redis, *, prefix: str, channel: str) -> None:
    key = f"{Names(prefix).root}check" if prefix else "siocluster:check"
    channels = [key] if prefix else []
    channels += [channel] if channel else []
    if lacks := permissions.refused(client, key=key, channels=channels):
        words = f"its user lacks {', '.join(lacks)}"
        raise _forbidden(url, words, prefix=prefix, channel=channel)
    # A full disk, too few replicas: what no permission tells.
    client.set(key, "1", px=1000)


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
    mode = server.get("redis_mode"), server.get("server_mode")
    if "cluster" in mode:
        raise RedisError(
            f"{shown(url)} is part of a Redis Cluster, which siocluster does not support yet.",
            hint="Use a single Redis.",
        )
    if "sentinel" in mode:
        raise RedisError(
            f"{shown(url)} is a Redis Sentinel, which stores nothing itself.",
            hint=f"It is named so: {sentinels.FORM}",
        )
    if replication.get("role") == "slave":
        raise RedisError(
            f"{shown(url)} is a read-only replica of"
            f" {replication.get('master_host')}:{replication.get('master_port')}.",
            hint="Name the primary instead.",
        )


def _forbidden(url: str, words: str, *, prefix: str = "", channel: str = "") -> RedisError:
    rules = permissions.rules(prefix=prefix or PREFIX, channel=channel or CHANNEL)
    return RedisError(
        f"{shown(url)} refuses what siocluster needs: {words}.",
        hint=f"What it needs, as ACL SETUSER takes it: {rules}; +role with Sentinels, +select for a"
        " database other than 0.",
    )


def explain(url: str, error: redis.exceptions.RedisError) -> RedisError:
    """What a failed command means, and what to do."""
    where, words = shown(url), str(error)
    form = sentinels.FORM if _by_sentinels(url) else "redis://user:password@host:port/0"
    if isinstance(error, sentinels.NoPrimaryError):
        return RedisError(f"{where}: {words}.", hint=error.hint)
    if "unknown command" in words and "HELLO" in words:
        return _too_old(url, "older than Redis 6.0")
    # The last of them is what redis-py before 6 makes of NOAUTH.
    if any(part in words for part in ("NOAUTH", "HELLO must be called", "Authentication required")):
        return RedisError(f"{where} asks for a password.", hint=f"Put it into the URL: {form}")
    if isinstance(error, redis.exceptions.AuthenticationError):
        return RedisError(
            f"{where} refuses this user or password: {words}",
            hint=f"Put them into the URL: {form}",
        )
    if isinstance(error, redis.exceptions.NoPermissionError):
        return _forbidden(url, words)
    if isinstance(error, redis.exceptions.TimeoutError):
        return RedisError(
            f"{where} does not answer within {SECONDS_TO_ANSWER} s.",
            hint=WITHOUT_TLS if url.startswith("rediss:") else "",
        )
    if isinstance(error, redis.exceptions.ConnectionError):
        return RedisError(f"{where} cannot be reached: {words}", hint=_way_there(url, words))
    if isinstance(error, redis.exceptions.ReadOnlyError):
        return RedisError(f"{where} is read-only: {words}", hint="Name the primary instead.")
    return RedisError(f"{where} refuses what siocluster needs: {words}")


def _way_there(url: str, words: str) -> str:
    """What to do about a connection that fails with these words."""
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return "Name the CA that signed its certificate: rediss://host:port/0?ssl_ca_certs=FILE"
    if "SSL" in words:
        return WITHOUT_TLS
    if url.startswith("redis:") and ("closed by server" in words or "reset by peer" in words):
        return WITH_TLS
    return "Start it, or leave --redis out: the cluster starts one of its own."
