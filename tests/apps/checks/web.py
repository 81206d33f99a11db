"""A browser's HTTP side: cookies, forms, and a source address of one's own choice."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Any

    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    """Keeps cookies between requests, each of which has a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies))

    def get(self, path: str) -> Answer:
        return self._send(Request(self.url + path))

    def post(self, path: str, **form: str) -> Answer:
        return self._send(Request(self.url + path, data=urlencode(form).encode()))

    def _send(self, request: Request) -> Answer:
        try:
            with self._opener.open(request, timeout=SECONDS) as response:
                return Answer(response.status, response.read(), response.headers)
        except HTTPError as error:
            with error:
                return Answer(error.code, error.read(), error.headers)

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)


def get_from(address: str, url: str, *, headers: dict[str, str] | None = None) -> Answer:
    """GET `url` from a loopback address such as 127.0.0.2."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        str(parts.hostname), parts.port, timeout=SECONDS, source_address=(address, 0)
    )
    try:
        connection.request("GET", parts.path, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.headers)
    finally:
        connection.close()
