"""The options: one table that the command line, the environment and the config file share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from siocluster.address import HIGHEST_PORT
from siocluster.parsers import (
    address,
    byte_count,
    choice,
    integer,
    ip_address,
    matching,
    networks,
    path,
    redis_url,
    seconds,
    size,
    static_mapping,
)

MAX_WORKERS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting: its name in `Settings`, how a person writes it, and how text becomes a value.

    `parse` gets the text and raises ValueError with the words that follow "--name VALUE: ".
    """

    name: str
    parse: Callable[[str], Any]  # the type of the field in Settings; a test compares them
    help: str
    metavar: str = ""
    short: str = ""
    variables: tuple[str, ...] = ()
    many: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def environment(self) -> tuple[str, ...]:
        """Variables that set it, the first one that is set wins."""
        return (f"SIOCLUSTER_{self.name.upper()}", *self.variables)


OPTIONS: tuple[Option, ...] = (
    Option(
        name="workers",
        short="-w",
        metavar="N",
        parse=integer(1, MAX_WORKERS),
        variables=("WEB_CONCURRENCY",),
        help="Workers to run.  [default: one for each usable CPU]",
    ),
    Option(
        name="slots",
        metavar="N",
        parse=integer(1, 2 * MAX_WORKERS),
        help="Ports and nginx lines declared; the spare ones serve scaling and reloads."
        "  [default: twice the workers, at least 4]",
    ),
    Option(
        name="base_port",
        metavar="PORT",
        parse=integer(1, HIGHEST_PORT),
        help="Slot i listens on this port + i.  [default: 6001]",
    ),
    Option(
        name="bind",
        short="-b",
        metavar="HOST:PORT",
        parse=address,
        help="The public address.  [default: 127.0.0.1:3000]",
    ),
    Option(
        name="worker_bind",
        metavar="ADDRESS",
        parse=ip_address,
        help="Where the workers listen.  [default: 127.0.0.1]",
    ),
    Option(
        name="front",
        metavar="auto|nginx|none",
        parse=choice("auto", "nginx", "none"),
        help="What stands before the workers.  [default: auto: nginx where there is one]",
    ),
    Option(name="nginx", metavar="PATH", parse=path, help="The nginx program to run."),
    Option(
        name="balance",
        metavar="auto|ip_hash|least_conn",
        parse=choice("auto", "ip_hash", "least_conn"),
        help="Who gets a new session.  [default: auto: ip_hash, least_conn on the loopback]",
    ),
    Option(
        name="redis",
        metavar="URL|embedded",
        parse=redis_url,
        help="Where workers meet.  [default: the app's, else $REDIS_URL, else one started here]",
    ),
    Option(
        name="redis_fsync",
        metavar="always|everysec|no",
        parse=choice("always", "everysec", "no"),
        help="When the embedded Redis writes its file to disk.  [default: everysec]",
    ),
    Option(
        name="redis_prefix",
        metavar="TEXT",
        parse=matching(r"[A-Za-z0-9_.:-]{1,64}", "needs 1 to 64 letters, digits, _ . : or -"),
        help="What all keys and channels begin with.  [default: siocluster:NAME]",
    ),
    Option(
        name="recovery",
        metavar="auto|on|off",
        parse=choice("auto", "on", "off"),
        help="Which clients get what they missed: auto is those with ?recovery=1.  [default: auto]",
    ),
    Option(
        name="recovery_seconds",
        metavar="SECONDS",
        parse=integer(1, 86400),
        help="A client may be away for so long and miss nothing.  [default: 120]",
    ),
    Option(
        name="recovery_events",
        metavar="N",
        parse=integer(1, 1_000_000),
        help="Events of a room that recovery can make good.  [default: 1000]",
    ),
    Option(
        name="recovery_bytes",
        metavar="SIZE",
        parse=byte_count,
        help="And how much of a room, at most.  [default: 1m]",
    ),
    Option(
        name="direct",
        metavar="stored|local",
        parse=choice("stored", "local"),
        help="Emits to one client: local does not remember them.  [default: stored]",
    ),
    Option(
        name="volatile",
        metavar="LIST",
        parse=matching(r"[^\s,]+", "needs events such as typing, or namespaces such as /live"),
        many=True,
        help="Events and namespaces that nobody needs later: not stored.",
    ),
    Option(
        name="outbox_seconds",
        metavar="SECONDS",
        parse=seconds(1, 3600),
        help="How long an emit waits for a Redis that is away.  [default: 30]",
    ),
    Option(
        name="outbox_emits",
        metavar="N",
        parse=integer(1, 1_000_000),
        help="How many may wait in one worker.  [default: 1000]",
    ),
    Option(
        name="outbox_bytes",
        metavar="SIZE",
        parse=byte_count,
        help="How much may wait in one worker.  [default: 8m]",
    ),
    Option(
        name="forwarded_allow_ips",
        metavar="LIST",
        parse=networks,
        many=True,
        variables=("FORWARDED_ALLOW_IPS",),
        help="Whose forwarded headers count.  [default: our own front only]",
    ),
    Option(
        name="static",
        metavar="URL=DIR",
        parse=static_mapping,
        many=True,
        help="Files that nginx serves itself; may be given again.",
    ),
    Option(
        name="max_body",
        metavar="SIZE",
        parse=size,
        help="The largest request body.  [default: 100m]",
    ),
    Option(
        name="server_name",
        metavar="NAME",
        parse=matching(r"[A-Za-z0-9_.*-]+( [A-Za-z0-9_.*-]+)*", "needs host names, or _"),
        help="nginx's server_name.  [default: _, every name]",
    ),
    Option(name="certfile", metavar="FILE", parse=path, help="TLS certificate for the front."),
    Option(name="keyfile", metavar="FILE", parse=path, help="The certificate's private key."),
    Option(
        name="access_logfile",
        metavar="FILE",
        parse=path,
        help="nginx's access log.  [default: none]",
    ),
    Option(
        name="connections",
        metavar="N",
        parse=integer(64, 1_000_000),
        help="nginx's worker_connections.  [default: from the descriptor limit]",
    ),
    Option(
        name="path",
        metavar="PATH",
        parse=matching(r"/?[A-Za-z0-9_./~-]+", "needs a URL path such as /socket.io"),
        help="The app's Socket.IO path.  [default: asked from the app]",
    ),
    Option(
        name="health_path",
        metavar="PREFIX",
        parse=matching(r"/([A-Za-z0-9_.~-]+/)*", "needs a prefix such as / or /-/"),
        help="Where healthz and readyz answer.  [default: /]",
    ),
    Option(
        name="name",
        metavar="NAME",
        parse=matching(r"[A-Za-z0-9_.-]{1,64}", "needs 1 to 64 letters, digits, _ . or -"),
        help="This app's name: Redis keys, titles.  [default: the target's module]",
    ),
    Option(
        name="node",
        metavar="NAME",
        parse=matching(
            r"[a-z0-9]{0,7}[a-z]",
            "needs 1 to 8 of a-z and 0-9, the last one a letter: a slot's number follows it",
        ),
        help="This machine's name in session ids.  [default: a]",
    ),
    Option(
        name="run_dir",
        metavar="DIR",
        parse=path,
        help="Pid file, sockets, nginx's files.  [default: .siocluster]",
    ),
    Option(
        name="data_dir",
        metavar="DIR",
        parse=path,
        help="The embedded Redis's files.  [default: data in the run-dir]",
    ),
    Option(
        name="graceful_timeout",
        metavar="SECONDS",
        parse=seconds(0, 3600),
        help="For a clean stop.  [default: 30]",
    ),
    Option(
        name="boot_timeout",
        metavar="SECONDS",
        parse=seconds(1),
        help="From spawn to ready.  [default: 60]",
    ),
    Option(
        name="heartbeat_timeout",
        metavar="SECONDS",
        parse=seconds(1),
        help="A worker silent for so long is replaced.  [default: 15]",
    ),
    Option(
        name="backoff",
        metavar="SECONDS",
        parse=seconds(0.01, 300),
        help="First wait before a failed slot is tried again; doubles.  [default: 0.5]",
    ),
    Option(
        name="backoff_max",
        metavar="SECONDS",
        parse=seconds(0.01, 3600),
        help="Longest such wait.  [default: 30]",
    ),
    Option(
        name="log_format",
        metavar="text|json",
        parse=choice("text", "json"),
        help="[default: text]",
    ),
    Option(
        name="log_level",
        metavar="LEVEL",
        parse=choice("debug", "info", "warning", "error"),
        help="debug, info, warning or error.  [default: info]",
    ),
)

BY_NAME = {option.name: option for option in OPTIONS}
