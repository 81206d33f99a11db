"""What the workers hear of the client, and whom they hear it from."""

from __future__ import annotations

from pathlib import Path

import pytest

from siocluster.front.binary import Binary
from tests.integration.nginx_world import World, world

FORGED = {
    "X-Forwarded-For": "198.51.100.1, 198.51.100.2",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "31337",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "198.51.100.3",
    "Forwarded": "for=198.51.100.4",
    "Proxy": "http://evil.example",
    "X_Forwarded_For": "198.51.100.5",
}


def heard(made: World, headers: dict[str, str], path: str = "/") -> dict[str, str]:
    assert made.ask(path, headers=headers).status == 200
    return made.seen()[-1].headers


def forwarded(headers: dict[str, str]) -> dict[str, str]:
    telling = ("x-", "x_", "forwarded", "proxy", "host")
    return {name: value for name, value in headers.items() if name.startswith(telling)}


@pytest.mark.parametrize("path", ["/", "/socket.io/?EIO=4", "/socket.io/?EIO=4&sid=a0-abc"])
def test_what_a_client_makes_up_does_not_reach_a_worker(
    nginx: Binary, tmp_path: Path, path: str
) -> None:
    with world(tmp_path, nginx) as made:
        got = forwarded(heard(made, {**FORGED, "Host": "chat.example:8443"}, path))
    assert got == {
        "host": "chat.example:8443",
        "x-real-ip": "127.0.0.1",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "chat.example:8443",
    }


def test_a_balancer_outside_the_list_is_not_believed(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, forwarded_allow_ips=("10.0.0.0/8", "fd00::/8")) as made:
        got = forwarded(heard(made, {**FORGED, "Host": "chat.example"}))
    assert got["x-forwarded-for"] == got["x-real-ip"] == "127.0.0.1"
    assert (got["x-forwarded-proto"], got["x-forwarded-host"]) == ("http", "chat.example")
    assert not {"x-forwarded-port", "x-forwarded-prefix", "forwarded", "proxy"} & set(got)


@pytest.mark.parametrize("allowed", [("127.0.0.0/8",), ("127.0.0.1", "10.0.0.0/8"), ("*",)])
def test_a_trusted_balancer_is_believed(
    nginx: Binary, tmp_path: Path, allowed: tuple[str, ...]
) -> None:
    told = {
        "Host": "inner:3000",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "chat.example",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Prefix": "/chat",
    }
    with world(tmp_path, nginx, forwarded_allow_ips=allowed) as made:
        got = forwarded(heard(made, told))
    assert got == {
        "host": "inner:3000",
        "x-real-ip": "203.0.113.9",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "chat.example",
        "x-forwarded-port": "443",
        "x-forwarded-prefix": "/chat",
    }


def test_the_client_is_the_last_address_that_is_not_a_balancers(
    nginx: Binary, tmp_path: Path
) -> None:
    """What stands before it in the list may be the client's own invention."""
    with world(tmp_path, nginx, forwarded_allow_ips=("127.0.0.1", "10.0.0.0/8")) as made:
        got = heard(made, {"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 10.1.2.3"})
    assert got["x-forwarded-for"] == "203.0.113.9"


@pytest.mark.parametrize(
    ("told", "proto"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http, https", "https"),
        ("https,http", "http"),
        ("gopher", "http"),
        ("trusted https", "https"),
        ("xhttps", "http"),
        ("", "http"),
    ],
)
def test_a_balancers_last_scheme_counts_if_it_is_one(
    nginx: Binary, tmp_path: Path, told: str, proto: str
) -> None:
    with world(tmp_path, nginx, forwarded_allow_ips=("127.0.0.1",)) as made:
        assert heard(made, {"X-Forwarded-Proto": told})["x-forwarded-proto"] == proto


def test_the_word_trusted_in_a_header_earns_no_trust(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, forwarded_allow_ips=("10.0.0.0/8",)) as made:
        got = heard(made, {"X-Forwarded-Proto": "trusted https", "Host": "chat.example"})
    assert got["x-forwarded-proto"] == "http"


def test_only_a_websocket_may_ask_to_switch(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx) as made:
        asked = {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "x"}
        assert heard(made, asked)["connection"] == "close"
        assert heard(made, {})["connection"] == "close"
        assert "upgrade" not in heard(made, {})
