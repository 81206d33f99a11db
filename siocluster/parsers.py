"""From what a person writes to a value.

Each parser gets the text and raises ValueError with the words that follow "--name VALUE: ".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path

from siocluster.address import HIGHEST_PORT, Address


def integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"needs a whole number from {low} to {high}") from None
        if not low <= value <= high:
            raise ValueError(f"must be from {low} to {high}")
        return value

    return parse


def seconds(low: float, high: float = 86400) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError("needs a number of seconds, such as 30 or 0.5") from None
        if not low <= value <= high:
            raise ValueError(f"must be from {low:g} to {high:g} seconds")
        return value

    return parse


def choice(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def matching(pattern: str, rule: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(rule)
        return text

    return parse


def any_text(text: str) -> str:
    if not text or re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("must not be empty or hold control characters")
    return text


def path(text: str) -> Path:
    return Path(any_text(text)).expanduser()


def ip_address(text: str) -> str:
    in_brackets = re.fullmatch(r"\[(.*:.*)]", text)
    try:
        return str(ipaddress.ip_address(in_brackets[1] if in_brackets else text))
    except ValueError:
        raise ValueError("needs an IP address, such as 127.0.0.1 or ::1") from None


def address(text: str) -> Address:
    """`HOST:PORT`, `[IPv6]:PORT`, `:PORT` (every address) or `PORT` (loopback)."""
    host, separator, port = text.rpartition(":")
    if not separator:
        host = "127.0.0.1"
    elif not host:
        host = "0.0.0.0"
    if ":" in host and not host.startswith("["):
        raise ValueError("needs HOST:PORT; write an IPv6 address in brackets: [::1]:3000")
    try:
        number = integer(1, HIGHEST_PORT)(port)
    except ValueError:
        raise ValueError("needs HOST:PORT with a port from 1 to 65535") from None
    return Address(ip_address("127.0.0.1" if host == "localhost" else host), number)


def networks(text: str) -> str:
    """One address or network, or `*` for every address."""
    if text == "*":
        return text
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError("needs addresses or networks such as 10.0.0.0/8, or *") from None


def static_mapping(text: str) -> tuple[str, str]:
    url, separator, folder = text.partition("=")
    if not separator or not url.startswith("/") or not folder:
        raise ValueError("needs URL=DIR, such as /static/=./static")
    return url.rstrip("/") + "/", folder


def redis_url(text: str) -> str:
    """A URL that the room bus can use; what it cannot use is refused by name."""
    if text == "embedded":
        return text
    if text.startswith(("redis://", "rediss://", "unix://", "redis+sentinel://")):
        return text
    raise ValueError(
        "needs redis://, rediss://, unix:// or redis+sentinel://, or the word embedded"
    )


def size(text: str) -> str:
    if not re.fullmatch(r"\d{1,9}[kKmMgG]?", text):
        raise ValueError("needs a size in nginx's way, such as 512k, 100m or 1g")
    return text


def byte_count(text: str) -> int:
    """A size as a number of bytes: 512k, 8m, 1g; at least 1k."""
    factor = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}.get(text[-1:].lower(), 1)
    digits = text if factor == 1 else text[:-1]
    if not re.fullmatch(r"\d{1,9}", digits) or int(digits) * factor < 1024:
        raise ValueError("needs a size of at least 1k, such as 512k, 8m or 1g")
    return int(digits) * factor
