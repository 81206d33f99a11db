"""`siocluster check`: everything that a start needs, tried without starting; one line each."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from siocluster import listeners, machine
from siocluster.errors import EXIT_OK, SioclusterError
from siocluster.front import binary as nginx
from siocluster.front.render import render
from siocluster.master import embedded_redis, nginx_service
from siocluster.master.arbiter import Arbiter
from siocluster.master.inspection import Inspection
from siocluster.master.run import DUMP_SIGNAL
from siocluster.report import print_error
from siocluster.settings import Settings
from siocluster.wire import Inspected

Check = Callable[[], str]
SECONDS_FOR_STACKS = 1.0


def check(settings: Settings, *, environ: Mapping[str, str], folder: Path) -> int:
    """Print what was found; returns the exit code of the first thing that is wrong."""
    code = EXIT_OK
    for label, attempt in _checks(settings, environ=environ, folder=folder):
        try:
            click.echo(f"  {click.style('ok', fg='green')}    {label:<9} {attempt()}")
        except SioclusterError as error:
            code = code or error.exit_code
            click.echo(f"  {click.style('wrong', fg='red')} {label:<9} {error.message}")
            sys.stdout.flush()
            if error.hint or error.detail:
                print_error(error)
    return code


def _checks(
    settings: Settings, *, environ: Mapping[str, str], folder: Path
) -> Iterator[tuple[str, Check]]:
    found: list[Inspected] = []

    def target() -> str:
        found.append(inspect(settings, environ=environ, folder=folder))
        return f"{settings.target}, Socket.IO at {found[0].path}"

    yield "settings", lambda: f"{settings.workers} workers, {settings.slots} slots"
    yield "target", target
    yield "ports", lambda: _ports(settings)
    if found:
        yield "redis", lambda: _redis(found[0])
    yield (
        "nginx",
        lambda: _nginx(settings, found[0].path if found else nginx_service.DEFAULT_PATH, folder),
    )


def inspect(settings: Settings, *, environ: Mapping[str, str], folder: Path) -> Inspected:
    """What a spawned process says of target and Redis; raises its errors."""
    with closing(Arbiter()) as arbiter:
        inspection = Inspection(settings, folder=folder, environ=environ, takes_name=False)
        try:
            arbiter.watch_inspection(inspection)
            if not arbiter.until(lambda: inspection.done, seconds=settings.boot_timeout):
                inspection.process.send_signal(DUMP_SIGNAL)
                arbiter.until(inspection.process.exited, seconds=SECONDS_FOR_STACKS)
                raise inspection.too_late()
            return inspection.result()
        finally:
            inspection.process.kill()


def _ports(settings: Settings) -> str:
    addresses = settings.slot_addresses()
    if settings.front != "none":
        addresses.insert(0, settings.bind)
    for address in addresses:
        listeners.check_free(address)
    return f"{addresses[0]} to {addresses[-1]} are free"


def _redis(found: Inspected) -> str:
    if found.redis:
        return f"{found.redis_version}, named by {found.redis_origin}"
    program = embedded_redis.find()
    return f"{program.title} ({program.origin}), would be started, {found.redis_origin}"


def _nginx(settings: Settings, path: str, folder: Path) -> str:
    program = nginx_service.choose(settings)
    if program is None:
        return "none: clients reach the workers' ports themselves"
    site = nginx_service.site_for(
        replace(settings, static=nginx_service.absolute_static(settings, folder)),
        command="check",
        path=path,
        descriptors=machine.raise_descriptor_limit(),
        user=nginx_service.own_user(),
    )
    with tempfile.TemporaryDirectory(prefix="siocluster-check-") as name:
        config = Path(name) / "nginx.conf"
        config.write_text(render(site))
        nginx.check(program, prefix=Path(name), config=config)
    return f"{program}; takes the generated file"
