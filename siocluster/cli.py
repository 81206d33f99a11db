"""The command line: `siocluster [TARGET] [options]` and its commands."""

from __future__ import annotations

import difflib
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from siocluster import __version__, environment, logs, machine, settings
from siocluster.check import check as run_checks
from siocluster.errors import EXIT_INTERNAL, SettingsError, SioclusterError
from siocluster.front.nodes import parse_nodes
from siocluster.front.render import render
from siocluster.master import nginx_service, startup
from siocluster.master.arbiter import StopRequested
from siocluster.master.screen import Screen
from siocluster.options import OPTIONS
from siocluster.report import print_error

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])


class Commands(click.Group):
    """A word without a colon is a command; anything else starts the cluster."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or _starts_cluster(args[0]):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of `run` belong on the first page: it is what people come for."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        run_command.format_options(click.Context(run_command, parent=ctx), formatter)
        self.format_commands(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            hint = (
                f"Did you mean {near[0]}?"
                if near
                else "A target has a colon: module:attribute, such as app:socketio."
            )
            raise click.UsageError(f"{error.message} {hint}", ctx) from None


def _starts_cluster(word: str) -> bool:
    if word in ("--help", "--version"):
        return False
    return ":" in word or word.startswith("-")


def setting_options(function: F) -> F:
    """All settings as options; what is given arrives in `flags`, by the setting's name."""
    for option in reversed(OPTIONS):
        names = [option.short] if option.short else []
        function = click.option(
            *names,
            option.flag,
            option.name,
            metavar=option.metavar,
            multiple=True,
            help=option.help,
        )(function)
    function = click.option(
        "-c",
        "--config",
        metavar="FILE",
        envvar=environment.CONFIG_VARIABLE,
        help="Settings in TOML.  [default: siocluster.toml]",
    )(function)
    return click.option(
        "--chdir",
        metavar="DIR",
        envvar=environment.CHDIR_VARIABLE,
        help="Change to this folder first.",
    )(function)


@click.group(
    cls=Commands,
    context_settings={"max_content_width": 100},
    options_metavar="[TARGET] [OPTIONS]",
    subcommand_metavar="| COMMAND [ARGS]…",
)
@click.version_option(__version__, prog_name="siocluster")
def cli() -> None:
    """Run a Flask-SocketIO app on every core: workers, Redis and nginx with one command.

    TARGET is module:attribute of a SocketIO object or a Flask app, or a factory module:make().
    Without one, the bundled chat runs. Settings also come from SIOCLUSTER_… variables and from
    siocluster.toml or [tool.siocluster] in pyproject.toml.
    """


@cli.command(name="run")
@click.argument("target", required=False)
@setting_options
def run_command(target: str | None, chdir: str | None, config: str | None, **flags: Any) -> int:
    """Run the cluster in the foreground (the default command)."""
    chosen = load_settings(target, chdir=chdir, config=config, flags=flags)
    logs.configure(role="master", format=chosen.log_format, level=chosen.log_level)
    warn_of_unknown_variables()
    machine.raise_descriptor_limit()
    screen = Screen(as_log=chosen.log_format == "json")
    return startup.run(chosen, environ=os.environ, folder=Path.cwd(), screen=screen)


@cli.command(name="nginx")
@click.argument("target", required=False)
@setting_options
@click.option(
    "--part",
    type=click.Choice(["all", "site"]),
    default="all",
    help="The whole file, or what goes into an existing nginx's conf.d.",
)
@click.option(
    "--nodes",
    metavar="NODES",
    help="Several machines: a=10.0.0.1:6001-6008,b=10.0.0.2:6001-6008",
)
def nginx_command(
    target: str | None,
    chdir: str | None,
    config: str | None,
    part: Any,
    nodes: str | None,
    **flags: Any,
) -> int:
    """Print the nginx file for these settings; starts nothing.

    A relative folder of --static counts from nginx's prefix. An app with a Socket.IO path of
    its own needs --path.
    """
    chosen = load_settings(target, chdir=chdir, config=config, flags=flags)
    site = nginx_service.site_for(
        chosen,
        command=f"python cluster.py {shown_command(sys.argv[1:])}",
        path=chosen.path or nginx_service.DEFAULT_PATH,
        descriptors=machine.raise_descriptor_limit(),
        nodes=parse_nodes(nodes) if nodes else (),
    )
    click.echo(render(site, part), nl=False)
    return 0


@cli.command(name="check")
@click.argument("target", required=False)
@setting_options
def check_command(target: str | None, chdir: str | None, config: str | None, **flags: Any) -> int:
    """Try settings, target, ports, nginx and Redis without starting the cluster."""
    chosen = load_settings(target, chdir=chdir, config=config, flags=flags)
    logs.configure(role="check", format=chosen.log_format, level="warning")
    warn_of_unknown_variables()
    return run_checks(chosen, environ=os.environ, folder=Path.cwd())


def load_settings(
    target: str | None, *, chdir: str | None, config: str | None, flags: dict[str, Sequence[str]]
) -> settings.Settings:
    """Change to `chdir`, then read what flags, environment and file say there."""
    if chdir:
        try:
            os.chdir(chdir)
        except OSError as error:
            raise SettingsError(f"--chdir {chdir}: {error.strerror}.") from None
    return settings.load(
        flags,
        environ=os.environ,
        folder=Path.cwd(),
        cpus=machine.usable_cpus(),
        target=target,
        config=Path(config) if config else None,
    )


def warn_of_unknown_variables() -> None:
    for line in environment.unknown_variables(os.environ):
        log.warning("%s", line)


def shown_command(arguments: Sequence[str]) -> str:
    """The command line as one types it again; a Redis URL may hold a password and stays out."""
    shown, skip = [], False
    for argument in arguments:
        if skip or argument.startswith("--redis="):
            skip = False
        elif argument == "--redis":
            skip = True
        else:
            shown.append(argument)
    return shlex.join(shown)


def main() -> NoReturn:
    """The entry point: errors become messages and exit codes."""
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt, StopRequested):
        code = EXIT_INTERNAL
    except SioclusterError as error:
        print_error(error)
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read our output has closed it, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_INTERNAL
    sys.exit(code if isinstance(code, int) else 0)
