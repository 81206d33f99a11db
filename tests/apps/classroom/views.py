"""The pages: log in, log out, and what the server knows of the visitor."""

import os

from flask import Blueprint, Response, g, jsonify, render_template_string, request, session
from flask_login import current_user, login_required, login_user, logout_user

from .extensions import Person

pages = Blueprint("pages", __name__)

PAGE = """<!doctype html>
<title>Classroom</title>
<link rel="stylesheet" href="{{ url_for('static', filename='board.css') }}">
<h1>Classroom</h1>
"""


@pages.before_app_request
def count_visit() -> None:
    session["visits"] = session.get("visits", 0) + 1
    g.visit = session["visits"]


@pages.after_app_request
def show_visit(response: Response) -> Response:
    response.headers["X-Visit"] = str(g.get("visit", 0))
    return response


@pages.get("/")
def board() -> str:
    return render_template_string(PAGE)


@pages.post("/login")
def log_in() -> Response:
    login_user(Person(request.form["name"]))
    session["role"] = request.form.get("role", "pupil")
    return jsonify(name=current_user.id)


@pages.post("/logout")
@login_required
def log_out() -> Response:
    logout_user()
    return jsonify(name=None)


@pages.get("/me")
@login_required
def me() -> Response:
    return jsonify(
        name=current_user.id, role=session["role"], colour=session.get("colour"), pid=os.getpid()
    )


@pages.post("/colour")
@login_required
def choose_colour() -> Response:
    session["colour"] = request.form["colour"]
    return jsonify(colour=session["colour"])


@pages.get("/address")
def address() -> Response:
    return jsonify(address=request.remote_addr, scheme=request.scheme, host=request.host)
