"""The nginx that the master runs: settings → site → file → checked service."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from siocluster.errors import FrontError
from siocluster.front import binary as nginx
from siocluster.front.render import render
from siocluster.front.site import Balance, Node, Site
from siocluster.master.backoff import Backoff
from siocluster.master.rundir import RunDir, make_private
from siocluster.master.services import Service
from siocluster.settings import BUNDLED_CHAT, Settings

MOST_CONNECTIONS = 32768  # nginx allocates them all at its start: about 14 MB a process
SPARE_DESCRIPTORS = 1024
DEFAULT_PATH = "/socket.io/"


@dataclass(frozen=True, slots=True)
class Front:
    """A service that has been checked and only needs to be started."""

    program: nginx.Binary
    service: Service


def choose(settings: Settings) -> nginx.Binary | None:
    """The nginx to run, or None for `--front none`, or for `auto` where there is none."""
    if settings.front == "none":
        return None
    try:
        return nginx.find(settings.nginx)
    except FrontError:
        if settings.front == "auto" and settings.nginx is None:
            return None
        raise


def prepare(program: nginx.Binary, site: Site, run_dir: RunDir, *, backoff: Backoff) -> Front:
    """Write the file and have nginx check it; raises FrontError."""
    folder = run_dir.path / "nginx"
    make_private(folder, option="--run-dir")
    config = run_dir.write("nginx/nginx.conf", render(site))
    nginx.check(program, prefix=folder, config=config)
    command = tuple(program.arguments(prefix=folder, config=config))
    return Front(program, Service("nginx", command, folder, backoff))


def site_for(
    settings: Settings,
    *,
    command: str,
    path: str,
    descriptors: int,
    nodes: tuple[Node, ...] = (),
    user: str | None = None,
) -> Site:
    """What the front shall do. `path` is the app's Socket.IO path, `descriptors` the limit."""
    own = Node(
        name=settings.node,
        host=_reachable(settings.worker_bind),
        base_port=settings.base_port,
        slots=settings.slots,
    )
    return Site(
        command=command,
        bind_host=settings.bind.host,
        bind_port=settings.bind.port,
        nodes=nodes or (own,),
        balance=cast("Balance", settings.balance),
        socketio_path=path,
        static=settings.static,
        max_body=settings.max_body,
        server_name=settings.server_name,
        certfile=_text(settings.certfile),
        keyfile=_text(settings.keyfile),
        access_log=_text(settings.access_logfile),
        forwarded_allow_ips=settings.forwarded_allow_ips,
        connections=settings.connections or connections_for(descriptors),
        user=user,
    )


def connections_for(descriptors: int) -> int:
    """worker_connections for a limit of open descriptors."""
    return max(512, min(MOST_CONNECTIONS, descriptors - SPARE_DESCRIPTORS))


def own_user() -> str | None:
    """nginx's `user` line for a master that is root: the user that the workers run as.

    Without it nginx's workers become nobody, who may not read the app's static files.
    """
    if os.getuid() != 0:
        return None
    return f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"


def absolute_static(settings: Settings, folder: Path) -> tuple[tuple[str, str], ...]:
    """The static folders for the running nginx; the bundled chat's own are always served."""
    mapped = [(url, str((folder / directory).resolve())) for url, directory in settings.static]
    chat = bundled_static()
    if settings.target == BUNDLED_CHAT and chat and "/static/" not in dict(mapped):
        mapped.append(("/static/", str(chat)))
    return tuple(mapped)


def bundled_static() -> Path | None:
    """The chat's files: in the package when it is installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    for place in (package / "static", package.parent / "static"):
        if (place / "index.html").is_file():
            return place
    return None


def _reachable(host: str) -> str:
    """Where nginx reaches workers that listen on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
