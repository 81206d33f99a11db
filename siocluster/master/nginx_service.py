"""The nginx that the master runs: settings → site → file → checked service."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from siocluster import listeners, machine
from siocluster.address import Address, reachable
from siocluster.errors import FrontError
from siocluster.front import binary as nginx
from siocluster.front.render import SPARE_DESCRIPTORS, render
from siocluster.front.site import Balance, Node, Site
from siocluster.master.backoff import Backoff
from siocluster.master.rundir import RunDir, make_private
from siocluster.master.services import Service
from siocluster.settings import BUNDLED_CHAT, Settings

MOST_CONNECTIONS = 32768  # nginx allocates them all at its start: about 14 MB a process
DEFAULT_PATH = "/socket.io/"


@dataclass(frozen=True, slots=True)
class NginxService:
    """A service that has been checked and only needs to be started."""

    service: Service
    bind: Address

    def settled(self) -> bool:
        """It accepts connections, or it has ended already."""
        return self.service.restarts > 0 or listeners.answers(self.bind)

    def does_not_start(self) -> FrontError:
        return FrontError(
            f"nginx does not start, or does not answer on {self.bind}.",
            hint="What it wrote is above.",
        )


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


def prepare(
    program: nginx.Binary,
    settings: Settings,
    *,
    path: str,
    folder: Path,
    run_dir: RunDir,
    backoff: Backoff,
) -> NginxService:
    """Write the file and have nginx check it; raises FrontError, and BusyError for the port."""
    site = site_for(
        replace(settings, static=absolute_static(settings, folder)),
        command="Written by a running master; the next start writes it anew.",
        path=path,
        descriptors=machine.raise_descriptor_limit(),
        user=own_user(),
    )
    # Somebody may have taken it since the master tried: nginx would not say who.
    listeners.check_free(settings.bind)
    return NginxService(_checked(program, site, run_dir, backoff), settings.bind)


def _checked(program: nginx.Binary, site: Site, run_dir: RunDir, backoff: Backoff) -> Service:
    folder = run_dir.path / "nginx"
    make_private(folder, option="--run-dir")
    config = run_dir.write("nginx/nginx.conf", render(site))
    nginx.check(program, prefix=folder, config=config)
    command = tuple(program.arguments(prefix=folder, config=config))
    return Service("nginx", command, folder, backoff)


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
        host=reachable(settings.worker_bind),
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


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
