"""The chat page's JavaScript client, from npm into static/vendor."""

import os
import shutil
from pathlib import Path

from tools.setup.node import installed_copy
from tools.setup.place import PAGE_CLIENT, ROOT
from tools.setup.step import Step

MANIFEST = "tools/page"
LICENSE = PAGE_CLIENT.with_name("socket.io.LICENSE.txt")
FETCH_CLIENT = Step(
    "page-client",
    inputs=(ROOT / MANIFEST / "package.json", ROOT / MANIFEST / "package-lock.json"),
    outputs=(PAGE_CLIENT, LICENSE),
)


def fetch_client() -> None:
    if FETCH_CLIENT.is_done():
        return
    PAGE_CLIENT.parent.mkdir(parents=True, exist_ok=True)
    with installed_copy(MANIFEST, doing="Fetching the page's Socket.IO client") as modules:
        _put(modules / "socket.io-client" / "dist" / PAGE_CLIENT.name, PAGE_CLIENT)
        _put(modules / "socket.io-client" / "LICENSE", LICENSE)
    FETCH_CLIENT.mark_done()


def _put(source: Path, target: Path) -> None:
    """At once or not at all: a running cluster may be serving the file."""
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(source, partial)
    os.replace(partial, target)
