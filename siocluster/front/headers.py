"""What the workers are told of the client, and whose word on it counts."""

from __future__ import annotations

from collections.abc import Sequence

from siocluster.front.site import Site
from siocluster.front.syntax import Lines, block, flat

EVERYONE = ("0.0.0.0/0", "::/0")
# A name for each header that a trusted balancer may set, and our own word on it.
FORWARDED = (
    ("X-Forwarded-Proto", "proto", "$scheme"),
    ("X-Forwarded-Host", "host", "$http_host"),
    ("X-Forwarded-Port", "port", '""'),
    ("X-Forwarded-Prefix", "prefix", '""'),
)


def maps(site: Site) -> Lines:
    """Maps in the http context that the server's headers use."""
    return flat(_upgrade(), _trust(site) if site.forwarded_allow_ips else [])


def real_ip(site: Site) -> Lines:
    """Puts the client's address in the place of a balancer's, for nginx itself too."""
    if not site.forwarded_allow_ips:
        return []
    return [
        "# Behind another balancer: the client is the last address that it vouches for.",
        *(f"set_real_ip_from {network};" for network in _networks(site)),
        "real_ip_header X-Forwarded-For;",
        "real_ip_recursive on;",
    ]


def passed_on(site: Site) -> Lines:
    """The request's headers as the workers get them; what a client made up is not among them."""
    return [
        "proxy_http_version 1.1;",
        "proxy_set_header Host $http_host;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $siocluster_connection;",
        "proxy_set_header X-Real-IP $remote_addr;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        *(f"proxy_set_header {header} {value};" for header, value in _forwarded(site)),
        'proxy_set_header Forwarded "";',
        'proxy_set_header Proxy "";',
    ]


def _forwarded(site: Site) -> list[tuple[str, str]]:
    if site.forwarded_allow_ips:
        return [(header, f"$siocluster_{name}") for header, name, _ in FORWARDED]
    return [(header, ours) for header, _, ours in FORWARDED]


def _networks(site: Site) -> list[str]:
    networks = site.forwarded_allow_ips
    return list(dict.fromkeys(EVERYONE if "*" in networks else networks))


def _peers(networks: Sequence[str]) -> Lines:
    if set(EVERYONE) <= set(networks):
        return ["default trusted;"]
    return ['default "";', *(f"{network} trusted;" for network in networks)]


def _upgrade() -> Lines:
    return [
        "# Only a WebSocket keeps its connection; nothing else may ask a worker to switch.",
        *block(
            "map $http_upgrade $siocluster_connection",
            "default close;",
            '"~*^websocket$" upgrade;',
        ),
    ]


def _trust(site: Site) -> Lines:
    return [
        "",
        "# Whose forwarded headers count: the peer itself, before real_ip took its place.",
        *block(
            "geo $realip_remote_addr $siocluster_trusted",
            *_peers(_networks(site)),
        ),
        *flat(*(_told(header, name, ours) for header, name, ours in FORWARDED)),
    ]


def _told(header: str, name: str, ours: str) -> Lines:
    """The last word of a trusted peer's header, else ours."""
    source = "$http_" + header.lower().replace("-", "_")
    last = "~*^trusted (.*[ ,])?"
    told = f'"{last}(?<siocluster_told_{name}>[^ ,]+)$" $siocluster_told_{name};'
    schemes = [f'"{last}{scheme}$" {scheme};' for scheme in ("https", "http")]
    return block(
        f'map "$siocluster_trusted {source}" $siocluster_{name}',
        f"default {ours};",
        schemes if name == "proto" else told,
    )
