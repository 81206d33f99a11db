"""Who gets a request: groups of workers, and the maps that choose among them."""

from __future__ import annotations

from siocluster.front.site import Site, bracketed
from siocluster.front.syntax import Lines, block, pattern, spaced

NEW = "siocluster_new"
LOOPBACK = "siocluster_loopback"
APP = "siocluster_app"
ONCE = "keepalive_requests 1"
MOST_HOPS = 4  # 500 ms each: a new session is open within 3 s, or its client hears that it is not


def choices(site: Site) -> Lines:
    """Everything about upstreams, the one for new sessions first."""
    return spaced(
        _new_sessions(site),
        _loopback(site) if site.balance == "auto" else [],
        _app_requests(site) if site.balance != "ip_hash" else [],
        _owners(site),
        *_machines(site),
        _owner_map(site),
        _chosen(site),
        _next_machine(site),
    )


def hops(site: Site) -> int:
    """How many more machines a request may try after the first one did not answer."""
    return min(len(site.hosts()) - 1, MOST_HOPS)


def new_session_group(site: Site) -> str:
    return "$siocluster_chosen" if site.balance == "auto" else NEW


def app_group(site: Site) -> str:
    """For requests that open no session."""
    return {"auto": "$siocluster_chosen_app", "least_conn": APP, "ip_hash": NEW}[site.balance]


def _new_sessions(site: Site) -> Lines:
    balance = "least_conn" if site.balance == "least_conn" else "ip_hash"
    return [
        "# New sessions. Spare slots refuse at once and cost a few microseconds; max_fails=0 keeps",
        "# no grudge: a worker that said 503 while it drained must not be shunned afterwards.",
        "# One request a connection: nginx 1.29.7 and newer would keep it, and a request sent",
        "# while the worker closes it would be lost.",
        *_group(NEW, servers=site.servers(), balance=balance),
    ]


def _loopback(site: Site) -> Lines:
    return [
        "# ip_hash looks at the first three numbers of an address: it would put all of 127.0.0.x",
        "# on one worker. Development and tests come from there and are spread instead.",
        *_group(LOOPBACK, servers=site.servers(), balance="least_conn"),
    ]


def _app_requests(site: Site) -> Lines:
    return [
        "# What opens no session, where sessions go by least_conn: idle workers take turns, and a",
        "# page before each handshake, in one group, would send all handshakes to one of two.",
        *_group(APP, servers=site.servers(), balance="least_conn"),
    ]


def _group(name: str, *, servers: list[str], balance: str) -> Lines:
    # Shared between nginx's own workers; one server line takes about 1 KB of it.
    zone = f"zone {name} {64 + 2 * len(servers)}k;"
    return block(
        f"upstream {name}",
        f"{balance};",
        zone,
        f"{ONCE};",
        *(f"server {server} max_fails=0;" for server in servers),
    )


def _owners(site: Site) -> Lines:
    return [
        "# Sessions that are open: one group a slot, so that nothing goes to another worker.",
        *(
            f"upstream {_owner(node.name, slot)}"
            f" {{ {ONCE}; server {node.server(slot)} max_fails=0; }}"
            for node in site.nodes
            for slot in range(node.slots)
        ),
    ]


def _owner(node: str, slot: int) -> str:
    return f"siocluster_worker_{node}{slot}"


def _machines(site: Site) -> list[Lines]:
    """One group a machine, for requests whose first machine did not answer."""
    if not hops(site):
        return []
    note = "# Where a request goes whose first machine is cut off: any worker of the next one."
    groups = [
        _group(_machine(index), servers=site.servers_at(host), balance="least_conn")
        for index, host in enumerate(site.hosts())
    ]
    return [[note, *groups[0]], *groups[1:]]


def _machine(index: int) -> str:
    return f"siocluster_machine_{index}"


def _owner_map(site: Site) -> Lines:
    entries = [
        f"{node.name}{slot} {_owner(node.name, slot)};"
        for node in site.nodes
        for slot in range(node.slots)
    ]
    return [
        "# A session's id begins with its owner: ?sid=a0-… belongs to slot 0 of node a. An id that",
        "# names nobody is treated as a new session; whoever gets it answers 400.",
        *block(
            "map $arg_sid $siocluster_slot",
            'default "";',
            '"~^(?<siocluster_sid_slot>[a-z0-9]+)-" $siocluster_sid_slot;',
        ),
        *block("map $siocluster_slot $siocluster_owner", 'default "";', *entries),
    ]


def _chosen(site: Site) -> Lines:
    if site.balance != "auto":
        return []
    return [
        "# The group for a new session, and for all else, by the client's address.",
        *_by_address("$siocluster_chosen", loopback=LOOPBACK),
        *_by_address("$siocluster_chosen_app", loopback=APP),
    ]


def _by_address(variable: str, *, loopback: str) -> Lines:
    return block(
        f"geo {variable}",
        f"default {NEW};",
        f"127.0.0.0/8 {loopback};",
        f"::1/128 {loopback};",
    )


def _next_machine(site: Site) -> Lines:
    """From the last address tried to the machine after it, in a ring."""
    if not hops(site):
        return []
    hosts = site.hosts()
    ring = [(host, _machine((index + 1) % len(hosts))) for index, host in enumerate(hosts)]
    return [
        "# The machine after the one that was tried last.",
        *block(
            "map $upstream_addr $siocluster_next_machine",
            "volatile;",
            f"default {_machine(0)};",
            *(f'"~(^|[ ,:]){pattern(bracketed(host))}:[0-9]+$" {group};' for host, group in ring),
        ),
        "# Has any worker been sent a byte of this request? Only a request that nobody has seen",
        "# may go elsewhere: a handler must not run twice.",
        *block(
            "map $upstream_bytes_sent $siocluster_seen",
            "volatile;",
            "default 1;",
            '"~^[0 ,:-]*$" "";',
        ),
    ]
