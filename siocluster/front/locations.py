"""What happens to a request, by its path."""

from __future__ import annotations

from siocluster.front.site import Site
from siocluster.front.syntax import Lines, block, flat, pattern, quoted, spaced
from siocluster.front.upstreams import app_group, hops, new_session_group

SESSION = "@siocluster_session"


def locations(site: Site) -> Lines:
    return spaced(
        *(_files(url, folder) for url, folder in site.static),
        _socketio(site),
        _session(),
        _app(site),
        *_elsewhere(site, "handshake"),
        *_elsewhere(site, "app"),
    )


def _files(url: str, folder: str) -> Lines:
    # Both end in a slash: without the first, /static../ would leave the folder.
    return block(
        f"location ^~ {quoted(slashed(url))}",
        f"alias {quoted(folder.rstrip('/') + '/')};",
        "# Names carry no version: browsers keep the files, and ask whether they have changed.",
        "add_header Cache-Control no-cache;",
        "add_header X-Content-Type-Options nosniff;",
        "gzip on;",
        "gzip_vary on;",
        "gzip_types text/css text/javascript application/javascript application/json"
        " image/svg+xml;",
    )


def _socketio(site: Site) -> Lines:
    return [
        "# Engine.IO. A handshake is harmless to repeat: it moves on where a worker refuses, or",
        "# answers 503 because it drains.",
        *block(
            f"location ~ ^{pattern(slashed(site.socketio_path))}",
            f"error_page 418 = {SESSION};",
            "if ($siocluster_owner) { return 418; }",
            f"proxy_pass http://{new_session_group(site)};",
            *_moves_on(site, "error http_503"),
            "proxy_read_timeout 120s;",
            *_first_hop(site, "handshake"),
        ),
    ]


def _session() -> Lines:
    return [
        "# Only the owner knows the session. 1.5 s outlast one lost SYN. The timeout is that of",
        "# silence: a ping goes out every 25 s, and its answer is due 20 s later.",
        *block(
            f"location {SESSION}",
            "proxy_pass http://$siocluster_owner;",
            "proxy_connect_timeout 1500ms;",
            "proxy_read_timeout 120s;",
        ),
    ]


def _app(site: Site) -> Lines:
    return [
        "# All else is the app's own, its 503 too. Its answers may take long, or stream.",
        *block(
            "location /",
            f"proxy_pass http://{app_group(site)};",
            *_moves_on(site, "error"),
            *_app_limits(),
            *_first_hop(site, "app"),
        ),
    ]


def _app_limits() -> Lines:
    return ["proxy_read_timeout 1h;", "proxy_buffer_size 16k;", "proxy_buffers 8 16k;"]


def _moves_on(site: Site, conditions: str) -> Lines:
    """When a request goes to another worker of the group, and for how long it may.

    A connect that hangs says that one worker is full, where there is one machine; where there
    are several, that the machine is cut off: then all of it is passed over, by the hops.
    """
    hangs = "" if hops(site) else " timeout"
    return [f"proxy_next_upstream {conditions}{hangs};", "proxy_next_upstream_timeout 2s;"]


def _first_hop(site: Site, kind: str) -> Lines:
    if not hops(site):
        return []
    return ["recursive_error_pages on;", _hop_after(kind, 0)]


def _hop_after(kind: str, hop: int) -> str:
    return f"error_page 502 504 = @siocluster_{kind}_{hop + 1};"


def _elsewhere(site: Site, kind: str) -> list[Lines]:
    return [_hop(site, kind, hop) for hop in range(1, hops(site) + 1)]


def _hop(site: Site, kind: str, hop: int) -> Lines:
    handshake = kind == "handshake"
    body: list[str | Lines] = [
        "" if handshake else "if ($siocluster_seen) { return 502; }",
        "proxy_pass http://$siocluster_next_machine;",
        f"proxy_next_upstream error{' http_503' if handshake else ''};",
        ["proxy_read_timeout 120s;"] if handshake else _app_limits(),
        _first_hop(site, kind)[:1] if hop < hops(site) else [],
        _hop_after(kind, hop) if hop < hops(site) else "",
    ]
    return block(f"location @siocluster_{kind}_{hop}", *filter(None, flat(*body)))


def slashed(path: str) -> str:
    return f"/{path.strip('/')}/"
