"""Whose word counts on where a client is: only a trusted peer's, and only about strangers."""

from __future__ import annotations

import pytest

from siocluster.worker import forwarded

FRONT = ("127.0.0.1/32", "::1/128", "10.0.0.0/8")


def applied(
    trusted: tuple[str, ...] = FRONT,
    *,
    peer: str = "127.0.0.1",
    hops: str | None = None,
    scheme: str | None = None,
) -> tuple[object, object]:
    """The address and the scheme that the app sees."""
    environ: dict[str, object] = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"}
    if hops is not None:
        environ["HTTP_X_FORWARDED_FOR"] = hops
    if scheme is not None:
        environ["HTTP_X_FORWARDED_PROTO"] = scheme
    forwarded.apply(environ, forwarded.trusted_by(trusted))
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]


def test_a_trusted_front_says_who_and_how() -> None:
    assert applied(hops="203.0.113.7", scheme="https") == ("203.0.113.7", "https")


@pytest.mark.parametrize("peer", ["203.0.113.9", "", "unix:", "not an address", "::2"])
def test_a_stranger_s_headers_count_for_nothing(peer: str) -> None:
    assert applied(peer=peer, hops="1.2.3.4", scheme="https") == (peer, "http")


def test_without_a_trusted_peer_nothing_counts() -> None:
    assert applied((), hops="1.2.3.4", scheme="https") == ("127.0.0.1", "http")


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("1.1.1.1, 203.0.113.7, 10.0.0.5", "203.0.113.7"),
        ("127.0.0.1, 203.0.113.7,10.0.0.5 , 10.0.0.6", "203.0.113.7"),
        ("10.0.0.9, 10.0.0.5", "10.0.0.9"),
        ("10.0.0.1, garbage", "garbage"),
        (" , ,203.0.113.7,", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_the_client_is_the_last_hop_that_is_not_trusted(hops: str, client: str) -> None:
    assert applied(hops=hops)[0] == client


@pytest.mark.parametrize("hops", [None, "", " , "])
def test_without_a_hop_the_peer_stays(hops: str | None) -> None:
    assert applied(hops=hops)[0] == "127.0.0.1"


def test_who_trusts_everybody_believes_the_first_hop() -> None:
    assert applied(("*",), peer="203.0.113.1", hops="1.1.1.1, 2.2.2.2")[0] == "1.1.1.1"


@pytest.mark.parametrize(
    ("given", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http, https", "https"),
        ("https,http", "http"),
        ("", "http"),
        ("javascript", "http"),
        ("https:", "http"),
    ],
)
def test_only_a_real_scheme_counts_and_the_last_one_of_several(given: str, scheme: str) -> None:
    assert applied(scheme=given)[1] == scheme


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.255.0.1", True),
        ("11.0.0.1", False),
        ("::1", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:11.0.0.1", False),
        ("localhost", False),
    ],
)
def test_networks_hold_ipv4_addresses_in_both_spellings(address: str, trusted: bool) -> None:
    assert forwarded.trusted_by(FRONT)(address) is trusted
