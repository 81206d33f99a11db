"""`--nodes`, as a person writes it."""

from __future__ import annotations

import pytest

from siocluster.errors import SettingsError
from siocluster.front.nodes import parse_nodes
from siocluster.front.site import Node


def test_nodes_are_read_in_their_order() -> None:
    assert parse_nodes(" b=10.0.0.2:6001-6008, a1x=[fd00::2]:7001 ,") == (
        Node(name="b", host="10.0.0.2", base_port=6001, slots=8),
        Node(name="a1x", host="fd00::2", base_port=7001, slots=1),
    )


def test_servers_are_written_as_nginx_reads_them() -> None:
    (node,) = parse_nodes("a=[FD00:0::2]:6001-6002")
    assert node.servers() == ["[fd00::2]:6001", "[fd00::2]:6002"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no node"),
        (" , ", "no node"),
        ("10.0.0.1:6001-6008", "NAME=ADDRESS"),
        ("a=10.0.0.1", "NAME=ADDRESS"),
        ("a=10.0.0.1:x-y", "NAME=ADDRESS"),
        ("a=fd00::2:6001", "NAME=ADDRESS"),
        ("a1=10.0.0.1:6001", "last one a letter"),
        ("A=10.0.0.1:6001", "last one a letter"),
        ("=10.0.0.1:6001", "last one a letter"),
        ("ninechars=10.0.0.1:6001", "last one a letter"),
        ("a=chat.example:6001-6008", "not an IP address"),
        ("a=:6001-6008", "nothing is not an IP address"),
        ("a=[10.0.0]:6001-6008", "not an IP address"),
        ("a=10.0.0.1:6008-6001", "upwards"),
        ("a=10.0.0.1:0-5", "upwards"),
        ("a=10.0.0.1:65530-65540", "upwards"),
        ("a=10.0.0.1:1000-9000", "at most 1024"),
        ("a=10.0.0.1:6001,a=10.0.0.2:6001", "names a twice"),
        ("a=10.0.0.1:6001-6008,b=10.0.0.1:6008-6010", "10.0.0.1:6008 to both a and b"),
    ],
)
def test_a_mistake_is_named(text: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_nodes(text)
    assert complaint in caught.value.message
