"""What a built wheel holds, and that it needs neither a checkout nor Node."""

import shutil
import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import siocluster
from tests.packaging.builds import build, copy_tree

CLIENT = "static/vendor/socket.io.esm.min.js"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    result = build("wheel", tree=tree, into=folder)
    assert result.returncode == 0, result.stderr
    (path,) = folder.glob("*.whl")
    return path


def members(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_module_and_every_file_of_the_page(wheel: Path, tree: Path) -> None:
    expected = {str(path.relative_to(tree)) for path in (tree / "siocluster").rglob("*.py")}
    for folder in ("chatapp", "static"):
        files = (path for path in (tree / folder).rglob("*") if path.is_file())
        expected |= {f"siocluster/{path.relative_to(tree)}" for path in files}
    assert f"siocluster/{CLIENT}" in expected
    assert expected <= members(wheel)


def test_wheel_installs_nothing_beside_siocluster(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in members(wheel)}
    assert tops == {"siocluster", f"siocluster-{siocluster.__version__}.dist-info"}


def test_wheel_offers_the_command_and_the_extra(wheel: Path) -> None:
    info = f"siocluster-{siocluster.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        scripts = archive.read(f"{info}/entry_points.txt").decode()
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert "siocluster = siocluster.cli:main" in scripts
    assert "embedded" in (metadata.get_all("Provides-Extra") or [])
    assert metadata["Requires-Python"] == ">=3.11"


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_build_without_the_client_is_refused_with_what_to_do(
    kind: str, tree: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(tree, bare, ignore=shutil.ignore_patterns("vendor", "build"))
    result = build(kind, tree=bare, into=tmp_path / "built")
    assert result.returncode != 0
    assert result.stderr == f"{CLIENT} is missing: run `make setup` first, which fetches it.\n"
    assert not list((tmp_path / "built").iterdir())


def test_source_archive_builds_the_same_wheel(wheel: Path, tree: Path, tmp_path: Path) -> None:
    result = build("sdist", tree=tree, into=tmp_path / "sdist")
    assert result.returncode == 0, result.stderr
    (path,) = (tmp_path / "sdist").glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", path, "-C", tmp_path], check=True)
    unpacked = tmp_path / path.name.removesuffix(".tar.gz")
    result = build("wheel", tree=unpacked, into=tmp_path / "again")
    assert result.returncode == 0, result.stderr
    (again,) = (tmp_path / "again").glob("*.whl")
    assert members(again) == members(wheel)
