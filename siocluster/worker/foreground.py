"""`python fork_server.py 6001`: one worker in the foreground, for debugging; no master."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import click
import gevent

from siocluster import settings as settings_module
from siocluster.address import Address
from siocluster.bus import redis_check
from siocluster.errors import EXIT_OK, SettingsError, SioclusterError
from siocluster.listeners import Listener
from siocluster.report import print_error
from siocluster.settings import Settings
from siocluster.wire import Boot
from siocluster.worker import serving


def main() -> NoReturn:
    try:
        run(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.exit(EXIT_OK)
    except SioclusterError as error:
        print_error(error)
        sys.exit(error.exit_code)
    sys.exit(EXIT_OK)


@click.command(name="fork_server.py")
@click.argument("port", type=click.IntRange(1, 65535))
@click.argument("target", required=False)
def run(port: int, target: str | None) -> None:
    """Run one worker on PORT, without a master, for debugging.

    Settings come from SIOCLUSTER_… variables and siocluster.toml. Without a Redis it is alone.
    """
    settings = settings_module.load(
        {}, environ=os.environ, folder=Path.cwd(), cpus=1, target=target
    )
    config = boot_for(settings, port=port)
    serving.prepare(config)
    worker = serving.boot(config)
    for note in worker.notes:
        click.echo(note)
    # prepare() has them ignored, for workers that a master tells what to do.
    gevent.signal_handler(signal.SIGINT, worker.stopping.set)
    gevent.signal_handler(signal.SIGHUP, worker.stopping.set)
    click.echo(f"Serves {settings.target} on http://{Address(settings.worker_bind, port)}")
    worker.serve(None)


def boot_for(settings: Settings, *, port: int) -> Boot:
    """What a master would send to a worker on `port`; raises SettingsError, BusyError."""
    slot = port - settings.base_port
    if not 0 <= slot < settings.slots:
        raise SettingsError(
            f"Port {port} is no slot: they are {settings.base_port} to"
            f" {settings.base_port + settings.slots - 1}.",
            hint="SIOCLUSTER_BASE_PORT and SIOCLUSTER_SLOTS move them.",
        )
    redis = settings.redis or settings.redis_fallback
    if redis == "embedded":
        redis = None
    channel = f"siocluster:{settings.name}"
    if redis:
        redis_check.check(redis, prefix=settings.redis_prefix, channel=channel)
    listener = Listener(Address(settings.worker_bind, port)).detach()
    return Boot(
        purpose="serve",
        target=settings.target,
        folder=str(Path.cwd()),
        name=settings.name,
        node=settings.node,
        slot=slot,
        port=port,
        listener=listener,
        redis=redis,
        channel=channel,
        trusted_peers=settings.forwarded_allow_ips,
        health_path=settings.health_path,
        graceful_timeout=settings.graceful_timeout,
        log_format=settings.log_format,
        log_level=settings.log_level,
        **settings.of_bus(),
    )
