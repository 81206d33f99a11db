"""The text of the nginx file. Golden files guard it whole; `UPDATE_GOLDEN=1` writes them anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from siocluster.errors import FrontError
from siocluster.front.nodes import parse_nodes
from siocluster.front.render import render
from siocluster.front.site import Node, Part, Site

GOLDEN = Path(__file__).parents[1] / "golden"
REPOSITORY = Path(__file__).parents[2]


def site(slots: int = 4, **options: object) -> Site:
    own = (Node(name="a", host="127.0.0.1", base_port=6001, slots=slots),)
    values = {
        "command": "python cluster.py nginx",
        "bind_host": "127.0.0.1",
        "bind_port": 3000,
        "nodes": own,
    }
    return Site(**{**values, **options})  # type: ignore[arg-type]


def two_nodes() -> Site:
    return site(
        command="python cluster.py nginx --nodes a=10.0.0.1:6001-6004,b=[fd00::2]:6001-6004",
        nodes=parse_nodes("a=10.0.0.1:6001-6004,b=[fd00::2]:6001-6004"),
        bind_host="::",
        bind_port=443,
        certfile="/etc/ssl/chat.pem",
        keyfile="/etc/ssl/chat.key",
        server_name="chat.example",
        forwarded_allow_ips=("192.0.2.0/24",),
        access_log="access.log",
        user="www-data",
    )


def repository_file() -> Site:
    command = "python cluster.py nginx --workers 2 --slots 4 --connections 4096"
    return site(command=f"{command} --static /static/=static", static=(("/static/", "static"),))


FILES: dict[Path, tuple[Site, Part]] = {
    REPOSITORY / "nginx.conf": (repository_file(), "all"),
    GOLDEN / "one_slot_ip_hash.conf": (site(1, balance="ip_hash"), "all"),
    GOLDEN / "two_nodes_tls.conf": (two_nodes(), "all"),
    GOLDEN / "site_part_least_conn.conf": (site(balance="least_conn"), "site"),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_file_is_byte_for_byte_the_golden_one(file: Path) -> None:
    made, part = FILES[file]
    text = render(made, part)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert file.read_bytes().decode() == text


def test_the_first_line_names_the_command() -> None:
    assert render(site(command="python cluster.py nginx -w 2")).startswith(
        "# python cluster.py nginx -w 2\n"
    )


@pytest.mark.parametrize("balance", ["auto", "ip_hash"])
def test_the_first_upstream_is_the_ip_hash_one(balance: str) -> None:
    first = re.search(r"upstream [^{]+\{\s*([^;]+);", render(site(balance=balance)))
    assert first and first[1] == "ip_hash"


def test_least_conn_has_no_ip_hash() -> None:
    assert "ip_hash" not in render(site(balance="least_conn"))


def test_every_slot_is_declared_with_its_port_and_its_prefix() -> None:
    text = render(site(128))
    for slot in range(128):
        server = f"server 127.0.0.1:{6001 + slot} max_fails=0;"
        owner = f"siocluster_worker_a{slot}"
        assert f"upstream {owner} {{ keepalive_requests 1; {server} }}" in text
        assert f" a{slot} {owner};" in text
    assert "6129" not in text


def test_every_server_line_forgives() -> None:
    lines = re.findall(r"server [0-9\[].*?;", render(two_nodes()))
    assert lines
    assert all(line.endswith("max_fails=0;") for line in lines)


def test_every_name_of_ours_bears_our_prefix() -> None:
    text = render(two_nodes(), "site")
    named = r"^ *(?:(?:upstream|zone|log_format) (\S+)|(?:map|geo) .*\$(\S+) \{)"
    names = re.findall(named, text, re.M)
    assert names
    assert all((one or other).startswith("siocluster_") for one, other in names)


def test_no_name_is_given_twice() -> None:
    text = render(two_nodes())
    names = re.findall(r"^ *(?:upstream|map .*|geo .*|location) (\S+) \{", text, re.M)
    assert sorted(names) == sorted(set(names))


def test_only_handshakes_move_on_at_503() -> None:
    text = render(site())
    moving = [place for place in text.split("location ")[1:] if "http_503" in place]
    assert [place.split()[:2] for place in moving] == [["~", r"^/socket\.io/"]]


def test_nodes_of_one_machine_are_cut_off_together() -> None:
    one_machine = parse_nodes("a=10.0.0.1:6001-6002,b=10.0.0.1:7001-7002")
    assert "next_machine" not in render(site(nodes=one_machine))


def test_a_request_tries_at_most_five_machines() -> None:
    many = ",".join(f"{letter}=10.0.0.{ord(letter)}:6001" for letter in "abcdefgh")
    text = render(site(nodes=parse_nodes(many)))
    assert "@siocluster_handshake_4 {" in text
    assert "_5 {" not in text.partition("server {")[2]


def test_every_block_closes() -> None:
    text = render(two_nodes())
    bare = re.sub(r'"[^"]*"|#.*', "", text)
    assert bare.count("{") == bare.count("}")


def test_a_folder_name_cannot_end_its_line() -> None:
    text = render(site(static=(("/static/", 'a"; } evil {'),)))
    assert 'alias "a\\"; } evil {/";' in text


@pytest.mark.parametrize(
    "options",
    [
        {"static": (("/static/", "$document_root"),)},
        {"static": (("/static/", "two\nlines"),)},
        {"certfile": "$x", "keyfile": "k"},
        {"access_log": "a\x00b"},
        {"socketio_path": "/so cket"},
        {"socketio_path": '/"; evil'},
        {"socketio_path": "/$x"},
    ],
)
def test_text_that_nginx_would_read_otherwise_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(FrontError) as caught:
        render(site(**options))
    assert caught.value.hint


@pytest.mark.parametrize("urls", [("/",), ("/socket.io/",), ("/static/", "/static")])
def test_files_may_not_hide_the_app(urls: tuple[str, ...]) -> None:
    with pytest.raises(FrontError, match="--static"):
        render(site(static=tuple((url, "static") for url in urls)))
