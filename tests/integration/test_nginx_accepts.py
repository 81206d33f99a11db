"""Files that nginx itself has judged, in every shape that a cluster asks for."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from siocluster.errors import FrontError
from siocluster.front.binary import Binary, check
from siocluster.front.nodes import parse_nodes
from siocluster.front.render import render
from siocluster.front.site import Node, Site
from tests.integration.nginx_world import SCALE, free_port, program, wait_until

STOCK = Path("/etc/nginx/nginx.conf")
REPOSITORY = Path(__file__).parents[2]
TWO_NODES = "a=127.0.0.2:20001-20016,b=[::1]:20001-20016"


def site(slots: int = 4, **options: object) -> Site:
    own = (Node(name="a", host="127.0.0.1", base_port=20001, slots=slots),)
    values = {"command": "test", "bind_host": "127.0.0.1", "bind_port": free_port(), "nodes": own}
    return Site(**{**values, **options})  # type: ignore[arg-type]


def nginx_says(nginx: Binary, folder: Path, config: Path) -> str:
    """nginx's words on a file that it accepts."""
    command = [*nginx.arguments(prefix=folder, config=config), "-t"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20 * SCALE)
    assert done.returncode == 0, done.stderr
    return done.stderr


def accepted(nginx: Binary, folder: Path, made: Site) -> None:
    config = folder / "nginx.conf"
    config.write_text(render(made), encoding="utf-8")
    check(nginx, prefix=folder, config=config)
    assert "[warn]" not in nginx_says(nginx, folder, config)


@pytest.mark.parametrize("balance", ["auto", "ip_hash", "least_conn"])
@pytest.mark.parametrize("slots", [1, 4, 16, 128, 1024])
def test_nginx_accepts_any_number_of_slots(
    nginx: Binary, tmp_path: Path, slots: int, balance: str
) -> None:
    accepted(nginx, tmp_path, site(slots, balance=balance))


def test_nginx_accepts_several_nodes(nginx: Binary, tmp_path: Path) -> None:
    accepted(nginx, tmp_path, site(nodes=parse_nodes(TWO_NODES)))
    many = ",".join(f"node{letter}=127.0.3.{ord(letter)}:20001-20128" for letter in "abcdefgh")
    accepted(nginx, tmp_path, site(nodes=parse_nodes(many)))
    longest = "abcdefgh=127.0.0.1:20001-20008,b=127.0.0.1:20009"
    accepted(nginx, tmp_path, site(nodes=parse_nodes(longest)))


@pytest.mark.parametrize(
    "options",
    [
        {"forwarded_allow_ips": ("*",)},
        {"forwarded_allow_ips": ("10.0.0.0/8", "fd00::/8", "127.0.0.1")},
        {"bind_host": "::1"},
        {"bind_host": "0.0.0.0", "server_name": "chat.example *.chat.example"},
        {"server_name": "a-rather-long-name-for-a-host." * 4 + "example"},
        {"static": (("/static/", 'folder; "with" } \\ odd # name'), ("/名", "页面"))},
        {"access_log": "access log"},
        {"socketio_path": "/a b+c(1)".replace(" ", "~")},
        {"max_body": "1g", "connections": 65536},
    ],
)
def test_nginx_accepts_every_option(
    nginx: Binary, tmp_path: Path, options: dict[str, object]
) -> None:
    accepted(nginx, tmp_path, site(**options))


def test_nginx_accepts_the_file_in_the_repository(nginx: Binary, tmp_path: Path) -> None:
    check(nginx, prefix=tmp_path, config=REPOSITORY / "nginx.conf")


@pytest.mark.skipif(not STOCK.is_file(), reason="no stock nginx.conf on this machine")
@pytest.mark.skipif(not program("machine"), reason="only the stock nginx.conf, without its nginx")
@pytest.mark.parametrize("nodes", ["", TWO_NODES])
def test_the_site_part_fits_into_the_stock_file(tmp_path: Path, nodes: str) -> None:
    nginx = program("machine")
    assert nginx
    (tmp_path / "conf.d").mkdir()
    options = {"nodes": parse_nodes(nodes)} if nodes else {}
    part = render(
        site(
            **options,
            access_log=str(tmp_path / "log"),
            forwarded_allow_ips=("10.0.0.0/8",),
            static=(("/static/", str(tmp_path)),),
        ),
        "site",
    )
    (tmp_path / "conf.d" / "siocluster.conf").write_text(part, encoding="utf-8")
    stock = STOCK.read_text(encoding="utf-8").replace("/etc/nginx/conf.d", f"{tmp_path}/conf.d")
    stock = re.sub(r"(?m)^user .*;$", "", stock)  # nginx warns of it where we are not root
    stock = stock.replace("/etc/nginx/sites-enabled/*", f"{tmp_path}/conf.d/none*")
    for theirs in ("/run/", "/var/log/nginx/"):
        stock = stock.replace(f" {theirs}", f" {tmp_path}/")
    (tmp_path / "nginx.conf").write_text(stock, encoding="utf-8")
    assert "[warn]" not in nginx_says(nginx, tmp_path, tmp_path / "nginx.conf")


def test_a_refusal_carries_nginx_s_own_words(nginx: Binary, tmp_path: Path) -> None:
    config = tmp_path / "nginx.conf"
    config.write_text(render(site()).replace("server_tokens", "server_token"), encoding="utf-8")
    with pytest.raises(FrontError) as caught:
        check(nginx, prefix=tmp_path, config=config)
    assert 'unknown directive "server_token"' in caught.value.message
    assert str(config) in caught.value.detail
    assert "-t" in caught.value.hint


def test_a_port_in_use_is_no_fault_of_the_file(nginx: Binary, tmp_path: Path) -> None:
    """The check runs while a cluster, perhaps this one, serves."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        accepted(nginx, tmp_path, site(bind_port=taken.getsockname()[1]))


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_it_runs_as_somebody_who_is_not_root(nginx: Binary) -> None:
    with tempfile.TemporaryDirectory(prefix="siocluster-front-") as name:
        folder = Path(name)
        program_copy = folder / "nginx"
        program_copy.write_bytes(nginx.path.read_bytes())
        program_copy.chmod(0o755)
        config = folder / "nginx.conf"
        config.write_text(render(site()), encoding="utf-8")
        os.chown(folder, 65534, 65534)
        mine = Binary(path=program_copy, version=nginx.version, origin="a copy")
        process = subprocess.Popen(
            mine.arguments(prefix=folder, config=config), user=65534, group=65534, extra_groups=[]
        )
        try:
            wait_until((folder / "nginx.pid").is_file, "nginx wrote its pid", 10)
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(10 * SCALE)
        assert process.returncode == 0
