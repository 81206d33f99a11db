"""What the gallery promises, under any runner."""

from __future__ import annotations

import hashlib
import http.client
import os
from pathlib import Path
from urllib.parse import urlsplit

from tests.apps.checks.web import Answer, Browser, get_from
from tests.integration.app_server import APPS, RunningApp
from tests.integration.javascript import run_script

MEGABYTE = 1 << 20
SECONDS = 60
TRANSPORTS = (["websocket"], ["polling"], None)
MADE_UP = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


def play(app: RunningApp, check: str, **options: object) -> object:
    return run_script("gallery.mjs", check, url=app.url, **options)


def post(app: RunningApp, path: str, body: bytes) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(app.url).netloc, timeout=SECONDS)
    try:
        connection.request("POST", path, body=body)
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.headers)
    finally:
        connection.close()


def every_process_has_its_share_of_the_sessions(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        pids = play(app, "processes", transports=transports)["pids"]
        assert len(pids) == max(1, len(app.worker_ports))


def a_picture_goes_in_and_its_thumbnail_out_to_all(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        seen = play(app, "pictures", transports=transports, size=200_000)
        assert seen == {"right": True, "thumbnails": [True] * 4}


def a_picture_above_the_stock_limit_goes_through(app: RunningApp) -> None:
    seen = play(app, "pictures", transports=["websocket"], size=3_000_000)
    assert seen == {"right": True, "thumbnails": [True] * 4}


def binary_inside_an_acknowledgement_stays_whole(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        assert play(app, "album", transports=transports) == {"right": [True] * 3}


def many_binary_events_come_back_whole_and_in_order(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        assert play(app, "echo", transports=transports) == {"right": [True] * 8}


def several_namespaces_share_one_connection(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        assert play(app, "namespaces", transports=transports) == {
            "sids": 3,
            "heard": [["visitor"], ["ready", "disconnect"], ["wall", "echoed"]],
            "connected": [True, False, True],
        }


def an_unknown_namespace_is_refused_and_the_others_go_on(app: RunningApp) -> None:
    assert play(app, "nowhere") == {"refused": True, "connected": True}


def a_large_upload_arrives_whole(app: RunningApp) -> None:
    body = os.urandom(MEGABYTE) * 20
    answer = post(app, "/pictures", body).json()
    assert answer["size"] == len(body)
    assert answer["sha256"] == hashlib.sha256(body).hexdigest()


def a_large_download_arrives_whole(app: RunningApp) -> None:
    size = 20 * MEGABYTE + 1
    answer = Browser(app.url).get(f"/pictures/{size}")
    assert answer.status == 200
    assert answer.body == bytes(size)


def an_answer_of_503_is_the_apps_own_and_asked_for_once(app: RunningApp) -> None:
    log = Path(app.environ["GALLERY_CLOSED_LOG"])
    for method, ask in (("GET", Browser(app.url).get), ("POST", Browser(app.url).post)):
        log.write_text("")
        answer = ask("/closed")
        assert (answer.status, answer.body) == (503, b"This room is being painted.")
        assert [line.split()[0] for line in log.read_text().splitlines()] == [method]


def the_app_serves_its_own_static_files(app: RunningApp) -> None:
    browser = Browser(app.url)
    assert b"/static/gallery.js" in browser.get("/").body
    script = browser.get("/static/gallery.js")
    assert script.body == (APPS / "gallery" / "static" / "gallery.js").read_bytes()


def the_app_sees_each_clients_own_address(app: RunningApp) -> None:
    for address in ("127.0.0.1", "127.0.0.2"):
        seen = get_from(address, f"{app.url}/visitor").json()
        assert (seen["address"], seen["scheme"]) == (address, "http")
        for transports in TRANSPORTS:
            seen = play(app, "visitor", address=address, transports=transports)
            assert seen == {"address": address, "scheme": "http"}


def a_client_cannot_make_up_its_address_or_scheme(app: RunningApp) -> None:
    for address in ("127.0.0.1", "127.0.0.2"):
        seen = get_from(address, f"{app.url}/visitor", headers=MADE_UP).json()
        assert (seen["address"], seen["scheme"]) == (address, "http")
        for transports in TRANSPORTS:
            seen = play(app, "visitor", address=address, headers=MADE_UP, transports=transports)
            assert seen == {"address": address, "scheme": "http"}


def the_app_sees_the_host_that_the_client_asked_for(app: RunningApp) -> None:
    for host in ("gallery.example.test", "gallery.example.test:8443"):
        seen = get_from("127.0.0.1", f"{app.url}/visitor", headers={"Host": host}).json()
        assert seen["host"] == host


PROMISES = (
    every_process_has_its_share_of_the_sessions,
    a_picture_goes_in_and_its_thumbnail_out_to_all,
    a_picture_above_the_stock_limit_goes_through,
    binary_inside_an_acknowledgement_stays_whole,
    many_binary_events_come_back_whole_and_in_order,
    several_namespaces_share_one_connection,
    an_unknown_namespace_is_refused_and_the_others_go_on,
    a_large_upload_arrives_whole,
    a_large_download_arrives_whole,
    an_answer_of_503_is_the_apps_own_and_asked_for_once,
    the_app_serves_its_own_static_files,
    the_app_sees_each_clients_own_address,
    a_client_cannot_make_up_its_address_or_scheme,
    the_app_sees_the_host_that_the_client_asked_for,
)
