"""The page over HTTP. Every address answers with the same file; the page reads the room in it."""

from __future__ import annotations

import logging
from pathlib import Path

from flask import Flask, Response, send_from_directory

STATIC = Path(__file__).resolve().parent.parent / "static"
CLIENT = STATIC / "vendor" / "socket.io.esm.min.js"

HEADERS = {
    # Nothing inline and nothing from elsewhere: text that became HTML by mistake could still not
    # run, load or send anything.
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    ),
    "X-Content-Type-Options": "nosniff",
    # A link in a message must not tell its site the name of the room.
    "Referrer-Policy": "no-referrer",
    # With an ETag: asked again each time, sent again only when it changed.
    "Cache-Control": "no-cache",
}

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    if not CLIENT.exists():
        log.warning("The page cannot connect: %s is missing. Run `make setup`.", CLIENT)
    app.add_url_rule("/", view_func=page)
    app.add_url_rule("/r/<room>", view_func=page)
    app.after_request(with_headers)


def page(room: str | None = None) -> Response:
    return send_from_directory(STATIC, "index.html")


def with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response
