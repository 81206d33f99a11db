"""Bodies both ways: uploads, streams, files, TLS."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from siocluster.front.binary import Binary
from tests.integration.nginx_world import SCALE, Answer, World, world


@pytest.fixture
def files(nginx: Binary, tmp_path: Path) -> Iterator[World]:
    public = tmp_path / "public files"
    (public / "js").mkdir(parents=True)
    (public / "page.html").write_text("<p>页面</p>", encoding="utf-8")
    (public / "js" / "main.js").write_text("let many = 'words';\n" * 200, encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    static = (("/static", str(public)),)
    with world(tmp_path / "nginx", nginx, static=static) as made:
        yield made


def test_a_20_mb_upload_arrives_whole(nginx: Binary, tmp_path: Path) -> None:
    body = os.urandom(1 << 20) * 20
    with world(tmp_path, nginx) as made:
        for path in ("/upload", "/socket.io/?EIO=4&sid=a1-abc"):
            assert made.ask(path, method="POST", body=body).status == 200
        arrived = [hashlib.sha256(seen.body).digest() for seen in made.seen()]
    assert arrived == [hashlib.sha256(body).digest()] * 2


def test_a_body_over_the_limit_is_refused_and_reaches_nobody(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx, max_body="64k") as made:
        assert made.ask("/", method="POST", body=b"x" * 65_000).status == 200
        assert made.ask("/", method="POST", body=b"x" * 70_000).status == 413
        assert len(made.seen()) == 1


def test_a_large_answer_and_large_headers_come_through(nginx: Binary, tmp_path: Path) -> None:
    body = os.urandom(1 << 20) * 8
    cookies = {"Set-Cookie": "session=" + "c" * 9000}
    with world(tmp_path, nginx) as made:
        for worker in made.workers.values():
            worker.answer = lambda _seen: Answer(200, body, cookies)
        reply = made.ask("/", headers={"Cookie": "session=" + "c" * 9000})
    assert reply.body == body
    assert reply.headers["Set-Cookie"] == cookies["Set-Cookie"]


@pytest.mark.parametrize("path", ["/events", "/socket.io/?EIO=4&sid=a0-abc"])
def test_what_a_worker_writes_arrives_before_it_ends(
    nginx: Binary, tmp_path: Path, path: str
) -> None:
    got_one, got_two = threading.Event(), threading.Event()

    def events() -> Iterator[bytes]:
        yield b"data: one\n\n"
        assert got_one.wait(10 * SCALE)
        yield b"data: two\n\n"
        assert got_two.wait(10 * SCALE)

    with world(tmp_path, nginx) as made:
        for worker in made.workers.values():
            worker.answer = lambda _seen: Answer(headers={"Content-Length": "1000"}, more=events())
        with made.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as connection:
            read_until(connection, b"data: one\n\n")
            got_one.set()
            read_until(connection, b"data: two\n\n")
            got_two.set()


def read_until(connection: socket.socket, end: bytes) -> None:
    received = b""
    while end not in received:
        more = connection.recv(4096)
        assert more, received
        received += more


def test_files_are_served_by_nginx_with_their_type(files: World) -> None:
    page = files.ask("/static/page.html")
    assert (page.status, page.body.decode()) == (200, "<p>页面</p>")
    assert page.headers["Content-Type"] == "text/html"
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "nginx/" not in page.headers["Server"]
    script = files.ask("/static/js/main.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["Content-Type"] == "text/javascript"
    assert script.headers["Content-Encoding"] == "gzip"
    assert files.seen() == []


def test_an_unchanged_file_is_not_sent_again(files: World) -> None:
    first = files.ask("/static/page.html")
    again = files.ask("/static/page.html", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret.txt",
        "/static../secret.txt",
        "/static/..%2fsecret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/js/../../secret.txt",
        "/static//../secret.txt",
        "/static/..\\secret.txt",
        "/static/%2e%2e%5csecret.txt",
        "/static/js%00/../../secret.txt",
    ],
)
def test_no_path_leaves_the_folder(files: World, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with files.raw(request) as connection:
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert received.startswith(b"HTTP/1.1 ")
    assert b"secret" not in received.partition(b"\r\n\r\n")[2]


def test_a_missing_file_is_nginx_s_404_and_the_rest_is_the_apps(files: World) -> None:
    assert files.ask("/static/nothing.js").status == 404
    assert files.seen() == []
    for path in ("/static", "/staticx", "/"):
        assert files.ask(path).status == 200
    assert len(files.seen()) == 3


def test_without_static_the_apps_own_static_is_left_to_it(nginx: Binary, tmp_path: Path) -> None:
    with world(tmp_path, nginx) as made:
        assert made.ask("/static/app.css").body in {b"a0", b"a1", b"a2", b"a3"}


def test_the_access_log_holds_no_session_id(nginx: Binary, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with world(tmp_path, nginx, access_log=str(log)) as made:
        made.ask("/socket.io/?EIO=4&sid=a0-verysecret")
    line = log.read_text(encoding="utf-8")
    assert '"GET /socket.io/" 200' in line
    assert "verysecret" not in line


def test_tls_is_spoken_and_plain_http_is_shown_the_way(nginx: Binary, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with world(tmp_path, nginx, certfile=str(certificate), keyfile=str(key)) as made:
        context = ssl.create_default_context(cafile=str(certificate))
        secure = http.client.HTTPSConnection(
            "localhost", made.site.bind_port, context=context, timeout=10 * SCALE
        )
        try:
            secure.request("GET", "/", headers={"Host": "localhost"})
            assert secure.getresponse().read() in {b"a0", b"a1", b"a2", b"a3"}
        finally:
            secure.close()
        assert made.seen()[-1].headers["x-forwarded-proto"] == "https"
        plain = made.ask("/room?x=1", headers={"Host": "localhost"})
        assert (plain.status, plain.headers["Location"]) == (307, "https://localhost/room?x=1")


def self_signed(folder: Path) -> tuple[Path, Path]:
    assert shutil.which("openssl"), "apt install openssl"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(key), "-out", str(certificate))
    command = ["openssl", *words.split(), *subject, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=30 * SCALE)
    return certificate, key
