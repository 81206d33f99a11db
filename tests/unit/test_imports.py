"""Who may import whom: arrows go one way, and the master stays free of the app's libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "siocluster"
APP_LIBRARIES = {
    "gevent",
    "greenlet",
    "flask",
    "flask_socketio",
    "werkzeug",
    "redis",
    "socketio",
    "engineio",
    "geventwebsocket",
}
# What a room may import beside itself; `common` is settings, options, wire and their like.
MAY_IMPORT = {
    "entry": {"master", "front", "common", "errors", "package"},
    "master": {"front", "common", "errors", "package"},
    "front": {"common", "errors", "package"},
    "api": {"bus", "errors", "package"},
    "worker": {"bus", "common", "errors", "package"},
    "bus": {"common", "errors", "package"},
    "common": {"errors", "package"},
    "errors": set[str](),
    "launcher": {"package"},
    "package": set[str](),
}
ROOMS = {
    "siocluster": "package",
    "siocluster.cli": "entry",
    "siocluster.check": "entry",
    "siocluster.errors": "errors",
    "siocluster.launcher": "launcher",
    "siocluster.rooms": "api",
    "siocluster.cluster": "api",
    **{
        f"siocluster.{name}": "common"
        for name in (
            "settings",
            "options",
            "parsers",
            "address",
            "environment",
            "wire",
            "machine",
            "listeners",
            "logs",
            "report",
            "redis_versions",
        )
    },
}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in sorted((ROOT / PACKAGE).rglob("*.py"))}


def room(module: str) -> str:
    """An unknown module of the top floor has no room: give it one, on purpose."""
    package = module.split(".")[1:2]
    return package[0] if package and package[0] in MAY_IMPORT else ROOMS[module]


@cache
def imports(module: str) -> frozenset[str]:
    """All that a module's source imports at any depth, functions and TYPE_CHECKING included."""
    tree = ast.parse(MODULES[module].read_text())
    return frozenset(name for node in ast.walk(tree) for name in _named(node))


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "the library names its own modules in full"
        assert node.module is not None
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if whole in MODULES else node.module


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name.split(".")[0] == PACKAGE}


def reached(module: str) -> set[str]:
    """The module and all of ours that it imports, directly or not."""
    seen, ahead = {module}, [module]
    while ahead:
        new = ours(ahead.pop()) - seen
        seen |= new
        ahead += new
    return seen


def cycle(module: str) -> bool:
    return any(module in reached(name) for name in ours(module))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_rooms_below_its_own(module: str) -> None:
    here = room(module)
    allowed = MAY_IMPORT[here] | {here}
    assert {name: room(name) for name in ours(module) if room(name) not in allowed} == {}


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) in ("master", "front", "entry")])
def test_nothing_that_the_master_reaches_imports_the_app_s_libraries(module: str) -> None:
    for name in reached(module):
        found = {imported.split(".")[0] for imported in imports(name)}
        assert not found & APP_LIBRARIES, name


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) in ("common", "errors")])
def test_what_both_sides_share_needs_the_standard_library_alone(module: str) -> None:
    outside = {name.split(".")[0] for name in imports(module)} - {PACKAGE}
    assert outside <= sys.stdlib_module_names


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_itself_by_a_detour(module: str) -> None:
    assert not cycle(module)


def test_guard_and_launcher_need_nothing_but_the_standard_library() -> None:
    """And the launcher the package's own name; the guard, run as a file, could not import it."""
    for module, own in (("siocluster.master.guard", set()), ("siocluster.launcher", {PACKAGE})):
        outside = {name.split(".")[0] for name in imports(module)} - own
        assert outside <= sys.stdlib_module_names
        assert ours(module) == own


def test_the_chat_imports_nothing_of_the_library_but_what_every_app_may() -> None:
    for file in (ROOT / "chatapp").rglob("*.py"):
        named = {
            name
            for node in ast.walk(ast.parse(file.read_text()))
            if not (isinstance(node, ast.ImportFrom) and node.level)
            for name in _named(node)
            if name.split(".")[0] == PACKAGE
        }
        assert {room(name) for name in named} <= {"api"}, file


@pytest.mark.parametrize("module", ["siocluster.rooms", "siocluster.cluster"])
def test_an_app_that_imports_the_api_loads_no_redis_and_no_gevent(module: str) -> None:
    loaded = loaded_after(f"import {module}")
    assert {"siocluster", "flask"} <= loaded
    assert not loaded & {"redis", "gevent", "greenlet", "socketio", "engineio", "flask_socketio"}


def test_gevent_patches_before_a_worker_imports_anything_else() -> None:
    body = ast.parse(MODULES["siocluster.worker.__main__"].read_text()).body
    after_docstring = [ast.unparse(node) for node in body[1:3]]
    assert after_docstring == ["from gevent import monkey", "monkey.patch_all()"]


def loaded_after(statement: str) -> set[str]:
    """Top-level names in sys.modules of a fresh interpreter."""
    code = f"{statement}\nimport sys; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return {name.split(".")[0] for name in shown.split()}


def test_the_search_finds_what_is_forbidden_where_it_is_allowed() -> None:
    found = {
        name.split(".")[0]
        for module in reached("siocluster.worker.__main__")
        for name in imports(module)
    }
    assert {"gevent", "flask_socketio", "redis"} <= found


def test_the_command_loads_none_of_the_app_s_libraries() -> None:
    loaded = loaded_after("import siocluster.cli")
    assert {"siocluster", "click"} <= loaded
    assert not loaded & APP_LIBRARIES


def test_the_package_itself_loads_nothing_before_gevent_can_patch() -> None:
    assert loaded_after("import siocluster.worker") - loaded_after("pass") == {"siocluster"}
