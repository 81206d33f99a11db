"""What the classroom promises, under any runner."""

from __future__ import annotations

from tests.apps.checks.web import Browser, get_from
from tests.integration.app_server import APPS, RunningApp
from tests.integration.javascript import run_script

TRANSPORTS = (["websocket"], ["polling"], None)


def logged_in(app: RunningApp, name: str, *, role: str = "pupil") -> Browser:
    browser = Browser(app.url)
    assert browser.post("/login", name=name, role=role).json() == {"name": name}
    return browser


def play(app: RunningApp, check: str, **options: object) -> object:
    """Run a check in JavaScript for Ada, a teacher, and Ben, a pupil."""
    cookies = {
        "ada": logged_in(app, "ada", role="teacher").cookie,
        "ben": logged_in(app, "ben").cookie,
    }
    return run_script("classroom.mjs", check, url=app.url, cookies=cookies, **options)


def a_login_holds_for_every_later_request(app: RunningApp) -> None:
    browser = logged_in(app, "ada")
    answers = [browser.get("/me") for _ in range(12)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.json()["name"] for answer in answers} == {"ada"}
    browser.post("/logout")
    assert browser.get("/me").status == 401


def a_request_hook_runs_once_for_each_request(app: RunningApp) -> None:
    browser = Browser(app.url)
    visits = [browser.get("/address").headers["X-Visit"] for _ in range(6)]
    assert visits == ["1", "2", "3", "4", "5", "6"]


def the_page_brings_its_own_static_files(app: RunningApp) -> None:
    browser = Browser(app.url)
    assert 'href="/static/board.css"' in browser.get("/").body.decode()
    style = browser.get("/static/board.css")
    assert style.body == (APPS / "classroom" / "static" / "board.css").read_bytes()
    assert style.headers["Content-Type"].startswith("text/css")
    assert browser.get("/static/none.css").status == 404


def people_in_a_lesson_hear_each_other(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        seen = play(app, "talk", transports=transports)
        assert seen["acknowledged"] == {"said": True}
        assert seen["heard"] == seen["echoed"] == {"name": "ada", "text": "what is x?"}
        assert seen["left"] == {"name": "ben", "reason": "client disconnect"}


def who_leaves_a_lesson_hears_no_more_of_it(app: RunningApp) -> None:
    seen = play(app, "leave")
    assert seen["ada"] == [{"name": "ada", "text": "only for those who are here"}]
    assert seen["ben"] == []


def a_handler_keeps_things_in_the_session(app: RunningApp) -> None:
    for transports in TRANSPORTS:
        seen = play(app, "notes", transports=transports)
        assert seen == {"counts": [1, 2, 3], "kept": ["one", "two", "three"]}


def a_handler_knows_who_logged_in_over_http(app: RunningApp) -> None:
    known = play(app, "me")
    assert (known["name"], known["role"]) == ("ada", "teacher")
    assert play(app, "known") == {"welcome": "ada", "answer": {"asked": "may I?", "by": "ada"}}


def a_stranger_is_refused_with_the_apps_own_words(app: RunningApp) -> None:
    assert play(app, "anonymous") == {"refused": "log in first"}


def a_stranger_who_asks_is_disconnected(app: RunningApp) -> None:
    assert play(app, "stranger") == {"welcome": None, "reason": "io server disconnect"}


def an_error_in_a_handler_reaches_the_apps_error_handler(app: RunningApp) -> None:
    seen = play(app, "mistake")
    assert seen["answer"] == {"error": "division by zero"}
    assert seen["problem"] == {"event": "divide", "error": "ZeroDivisionError"}
    assert seen["quotient"] == 1.5


def a_client_that_asks_for_it_is_disconnected_for_good(app: RunningApp) -> None:
    seen = play(app, "excuse")
    assert seen == {"reason": "io server disconnect", "left": "ben", "active": False}


def a_teacher_can_disconnect_somebody_else(app: RunningApp) -> None:
    seen = play(app, "expel")
    assert seen["refused"] == {"error": "only a teacher may"}
    assert seen["answer"] == {"expelled": True}
    assert (seen["reason"], seen["left"]) == ("io server disconnect", "ben")


def the_app_sees_each_clients_own_address(app: RunningApp) -> None:
    host = app.url.removeprefix("http://")
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        right = {"address": address, "scheme": "http", "host": host}
        assert get_from(address, f"{app.url}/address").json() == right
        for transports in TRANSPORTS:
            known = play(app, "me", address=address, transports=transports)
            assert {key: known[key] for key in right} == right


def http_and_socketio_share_one_session(app: RunningApp) -> None:
    browser = logged_in(app, "ada")
    seen = run_script(
        "classroom.mjs", "paint", url=app.url, cookies={"ada": browser.cookie}, colour="red"
    )
    assert seen == {"seen": "red", "repainted": "dark red"}
    assert browser.get("/me").json()["colour"] == "dark red"


PROMISES = (
    a_login_holds_for_every_later_request,
    a_request_hook_runs_once_for_each_request,
    the_page_brings_its_own_static_files,
    people_in_a_lesson_hear_each_other,
    who_leaves_a_lesson_hears_no_more_of_it,
    a_handler_keeps_things_in_the_session,
    a_handler_knows_who_logged_in_over_http,
    a_stranger_is_refused_with_the_apps_own_words,
    a_stranger_who_asks_is_disconnected,
    an_error_in_a_handler_reaches_the_apps_error_handler,
    a_client_that_asks_for_it_is_disconnected_for_good,
    a_teacher_can_disconnect_somebody_else,
    the_app_sees_each_clients_own_address,
)
# With `manage_session=False` and sessions kept on the server.
SHARED_SESSION_PROMISES = (
    http_and_socketio_share_one_session,
    a_login_holds_for_every_later_request,
    a_handler_keeps_things_in_the_session,
    a_handler_knows_who_logged_in_over_http,
    a_client_that_asks_for_it_is_disconnected_for_good,
    the_app_sees_each_clients_own_address,
)
