"""The lock files: whole, in step with what they lock, and bound to no registry."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYTHON_LOCKS = sorted((ROOT / "locks").glob("*.txt"))
NPM_LOCKS = [ROOT / folder / "package-lock.json" for folder in ("tools/page", "tools/chromium")]
NPM_LOCKS.append(ROOT / "tests" / "js" / "package-lock.json")
PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / "locks" / lock).read_text()))


def declared(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, *NPM_LOCKS], ids=lambda path: path.parent.name)
def test_lock_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert '"resolved"' not in text


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda path: path.stem)
def test_every_line_of_a_python_lock_is_a_pin_with_hashes(lock: Path) -> None:
    entries = lock.read_text().replace("\\\n", " ").splitlines()
    assert entries
    for entry in entries:
        assert PIN.match(entry) and "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda path: path.parent.name)
def test_every_package_of_an_npm_lock_has_its_hash(lock: Path) -> None:
    packages = json.loads(lock.read_text())["packages"]
    locked = {name: entry for name, entry in packages.items() if name}
    assert locked
    assert all(entry["integrity"].startswith("sha512-") for entry in locked.values())


@pytest.mark.parametrize("folder", [path.parent for path in NPM_LOCKS], ids=lambda path: path.name)
def test_npm_lock_is_in_step_with_its_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "package.json").read_text())
    lock = json.loads((folder / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"] == manifest["dependencies"]


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("run.txt", ["embedded"]), ("test.txt", ["embedded", "test", "dev"])],
)
def test_lock_pins_every_requirement_inside_its_range(lock: str, extras: list[str]) -> None:
    locked = pins(lock)
    for requirement in declared(*extras):
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_tests_run_on_the_versions_that_people_run() -> None:
    assert pins("run.txt").items() <= pins("test.txt").items()


def test_redis_client_that_goes_deaf_when_idle_is_refused() -> None:
    (redis,) = (each for each in declared() if each.name == "redis")
    assert not redis.specifier.contains("8.0.1")
    assert redis.specifier.contains("8.1.0")


def test_page_and_tests_use_one_version_of_the_javascript_client() -> None:
    page, _, tests = (json.loads(path.read_text())["packages"] for path in NPM_LOCKS)
    name = "node_modules/socket.io-client"
    assert page[name] == tests[name]
