"""setuptools, but a wheel or an sdist without the page's JavaScript client is refused.

The client is no part of the repository: `make setup` puts it there. A wheel without it would
install and then serve a chat page that cannot connect.
"""

from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

CLIENT = Path("static/vendor/socket.io.esm.min.js")


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _require_client()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    _require_client()
    return build_meta.build_sdist(sdist_directory, config_settings)


def _require_client():
    """A front end runs every hook in the root of the project's tree."""
    if not CLIENT.is_file():
        raise SystemExit(f"{CLIENT} is missing: run `make setup` first, which fetches it.")
