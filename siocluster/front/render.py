"""The nginx file of a site, as text. It depends on nothing but the Site."""

from __future__ import annotations

from siocluster.errors import FrontError
from siocluster.front import headers, upstreams
from siocluster.front.locations import locations, slashed
from siocluster.front.site import Part, Site, bracketed
from siocluster.front.syntax import Lines, block, quoted, spaced

MIME_TYPES = (
    ("text/html", "html htm"),
    ("text/css", "css"),
    ("text/javascript", "js mjs"),
    ("text/plain", "txt"),
    ("application/json", "json map"),
    ("application/manifest+json", "webmanifest"),
    ("application/wasm", "wasm"),
    ("application/pdf", "pdf"),
    ("image/svg+xml", "svg"),
    ("image/png", "png"),
    ("image/jpeg", "jpg jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/avif", "avif"),
    ("image/x-icon", "ico"),
    ("font/woff", "woff"),
    ("font/woff2", "woff2"),
    ("audio/mpeg", "mp3"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
)
SPARE_DESCRIPTORS = 256  # beside connections: logs, listeners, files being sent


def render(site: Site, part: Part = "all") -> str:
    """The whole file, or the part that goes into the `http` block of an existing one.

    Raises FrontError for what nginx cannot be told.
    """
    _refuse_hidden_app(site)
    inner = spaced(
        upstreams.choices(site), headers.maps(site), _log_format(site), _server(site, part)
    )
    sections = [_title(site, part)]
    sections += [inner] if part == "site" else [_process(site), _http(site, inner)]
    return "\n".join(spaced(*sections)) + "\n"


def _title(site: Site, part: Part) -> Lines:
    use = (
        "# Run it: nginx -e stderr -p DIR -c FILE   (DIR holds the pid and temporary files)"
        if part == "all"
        else "# For the http block of an existing nginx, for example its conf.d."
    )
    return [f"# {site.command}", use]


def _process(site: Site) -> Lines:
    return [
        *([f"user {site.user};"] if site.user else []),
        "daemon off;",
        "worker_processes auto;",
        f"worker_rlimit_nofile {site.connections + SPARE_DESCRIPTORS};",
        "pid nginx.pid;",
        "error_log stderr warn;",
        "",
        "# A session costs two: one to the client and one to its worker.",
        *block("events", f"worker_connections {site.connections};"),
    ]


def _http(site: Site, inner: Lines) -> Lines:
    return block(
        "http",
        *spaced(
            [
                "# A spare slot that refuses is an error to nginx and none to us.",
                "error_log stderr crit;",
                "access_log off;",
                "server_tokens off;",
            ],
            _temporary_files(),
            _limits(),
            _types(),
            inner,
        ),
    )


def _log_format(site: Site) -> Lines:
    if not site.access_log:
        return []
    return [
        "# The path without its query: a session's id is nobody else's to read.",
        "log_format siocluster_access"
        " '$remote_addr [$time_iso8601] \"$request_method $uri\" $status '",
        "    '$body_bytes_sent $request_time $upstream_addr';",
    ]


def _temporary_files() -> Lines:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return [
        "# Below the prefix, so that it runs without root as well.",
        *(f"{kind}_temp_path {kind}_temp;" for kind in kinds),
    ]


def _limits() -> Lines:
    return [
        "sendfile on;",
        "tcp_nopush on;",
        "keepalive_timeout 65s;",
        "client_header_timeout 15s;",
        "client_body_timeout 60s;",
        "send_timeout 60s;",
        "reset_timedout_connection on;",
        "large_client_header_buffers 4 16k;",
        "server_names_hash_bucket_size 128;",
    ]


def _types() -> Lines:
    return [
        *block("types", *(f"{kind} {endings};" for kind, endings in MIME_TYPES)),
        "default_type application/octet-stream;",
    ]


def _server(site: Site, part: Part) -> Lines:
    return block(
        "server",
        *spaced(
            [*_listen(site, part), f"server_name {_names(site)};", *_tls(site), *_log(site)],
            headers.real_ip(site),
            headers.passed_on(site),
            _proxying(site),
            locations(site),
        ),
    )


def _listen(site: Site, part: Part) -> Lines:
    # In an existing nginx another server may have said these for the same address.
    words = " ssl" if site.certfile else ""
    words += "" if part == "site" else " backlog=4096"
    hosts = ["0.0.0.0", "::"] if site.bind_host == "::" else [site.bind_host]
    return [f"listen {bracketed(host)}:{site.bind_port}{words};" for host in hosts]


def _log(site: Site) -> Lines:
    return [f"access_log {quoted(site.access_log)} siocluster_access;"] if site.access_log else []


def _names(site: Site) -> str:
    return " ".join(quoted(name) for name in site.server_name.split()) or "_"


def _tls(site: Site) -> Lines:
    if not (site.certfile and site.keyfile):
        return []
    return [
        f"ssl_certificate {quoted(site.certfile)};",
        f"ssl_certificate_key {quoted(site.keyfile)};",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_cache shared:siocluster_tls:10m;",
        "ssl_session_timeout 1d;",
        "ssl_session_tickets off;",
        "# Plain HTTP to this port: say where the site is.",
        "error_page 497 =307 https://$http_host$request_uri;",
    ]


def _proxying(site: Site) -> Lines:
    return [
        f"client_max_body_size {site.max_body};",
        "client_body_buffer_size 64k;",
        "absolute_redirect off;",
        "proxy_redirect off;",
        "# What a worker writes goes out at once: polls, server-sent events.",
        "proxy_buffering off;",
        "# A worker's port answers or refuses at once; what hangs is full, or cut off.",
        "proxy_connect_timeout 500ms;",
        "proxy_send_timeout 60s;",
    ]


def _refuse_hidden_app(site: Site) -> None:
    taken = [slashed(url) for url, _ in site.static]
    hidden = {"//", slashed(site.socketio_path)} & set(taken)
    if hidden or len(set(taken)) < len(taken):
        raise FrontError(
            f"--static cannot serve {' '.join(taken)}: a path is named twice, or hides the app.",
            hint="Give each folder a URL of its own, such as /static/=./static.",
        )
