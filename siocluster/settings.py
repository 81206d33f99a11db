"""One frozen Settings, from flags, environment, config file and defaults, in that order."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siocluster.address import HIGHEST_PORT, Address
from siocluster.environment import TARGET_VARIABLE
from siocluster.errors import SettingsError
from siocluster.options import BY_NAME, OPTIONS, Option

CONFIG_FILE = "siocluster.toml"
PROJECT_FILE = "pyproject.toml"
BUNDLED_CHAT = "siocluster.chatapp:socketio"
DEFAULT_BIND = Address("127.0.0.1", 3000)
DEFAULT_RUN_DIR = Path(".siocluster")
OF_BUS = (
    "redis_prefix",
    "recovery",
    "recovery_seconds",
    "recovery_events",
    "recovery_bytes",
    "direct",
    "volatile",
    "outbox_seconds",
    "outbox_emits",
    "outbox_bytes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that a person may decide. Times in seconds, paths absolute, None means "find out"."""

    target: str = BUNDLED_CHAT
    workers: int = 1
    slots: int = 4
    base_port: int = 6001
    bind: Address = DEFAULT_BIND
    worker_bind: str = "127.0.0.1"
    front: str = "auto"
    nginx: Path | None = None
    balance: str = "auto"
    redis: str | None = None
    redis_fallback: str | None = None  # $REDIS_URL: counts less than the app's own message_queue
    redis_fsync: str = "everysec"
    redis_prefix: str = ""
    recovery: str = "auto"
    recovery_seconds: int = 120
    recovery_events: int = 1000
    recovery_bytes: int = 1 << 20
    direct: str = "stored"
    volatile: tuple[str, ...] = ()
    outbox_seconds: float = 30
    outbox_emits: int = 1000
    outbox_bytes: int = 8 << 20
    forwarded_allow_ips: tuple[str, ...] = ()
    static: tuple[tuple[str, str], ...] = ()
    max_body: str = "100m"
    server_name: str = "_"
    certfile: Path | None = None
    keyfile: Path | None = None
    access_logfile: Path | None = None
    connections: int | None = None
    path: str | None = None
    health_path: str = "/"
    name: str = ""
    node: str = "a"
    run_dir: Path = DEFAULT_RUN_DIR
    data_dir: Path = DEFAULT_RUN_DIR / "data"
    graceful_timeout: float = 30
    boot_timeout: float = 60
    heartbeat_timeout: float = 15
    backoff: float = 0.5
    backoff_max: float = 30
    log_format: str = "text"
    log_level: str = "info"
    redis_origin: str = "--redis"  # where `redis` was said, to be shown at start

    def of_bus(self) -> dict[str, Any]:
        """What a worker's room bus is told, by the names that the boot message has for it."""
        return {name: getattr(self, name) for name in OF_BUS}

    def slot_addresses(self) -> list[Address]:
        """Where the workers listen, by slot."""
        ports = range(self.base_port, self.base_port + self.slots)
        return [Address(self.worker_bind, port) for port in ports]


@dataclass(frozen=True, slots=True)
class Given:
    """A setting's text and where a person wrote it."""

    texts: tuple[str, ...]
    origin: str


def load(
    flags: Mapping[str, Sequence[str]],
    *,
    environ: Mapping[str, str],
    folder: Path,
    cpus: int,
    target: str | None = None,
    config: Path | None = None,
) -> Settings:
    """Settings for a start in `folder`; raises SettingsError naming the place to mend."""
    from_file, file_target = _read_config(folder, config)
    given = {
        option.name: found
        for option in OPTIONS
        if (found := _find(option, flags=flags, environ=environ, from_file=from_file))
    }
    target = target or environ.get(TARGET_VARIABLE) or file_target or BUNDLED_CHAT
    chosen = {name: _value(BY_NAME[name], found) for name, found in given.items()}
    chosen |= _about_redis(given, environ)
    values = _derived(chosen, target=target, cpus=cpus) | chosen
    settings = Settings(target=target, **_absolute(values, folder))
    _check(settings)
    return settings


def _find(
    option: Option,
    *,
    flags: Mapping[str, Sequence[str]],
    environ: Mapping[str, str],
    from_file: Mapping[str, Given],
) -> Given | None:
    if texts := flags.get(option.name):
        return Given(tuple(texts), option.flag)
    for variable in option.environment:
        if text := environ.get(variable):
            return Given((text,), variable)
    return from_file.get(option.name)


def _value(option: Option, given: Given) -> Any:
    parts = _split(given.texts) if option.many else given.texts
    try:
        parsed = [option.parse(part) for part in parts]
    except ValueError as error:
        shown = "…" if option.name == "redis" else ", ".join(given.texts)[:80]
        raise SettingsError(f"{given.origin} {shown}: {error}.") from None
    return tuple(parsed) if option.many else parsed[-1]


def _split(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield from (part.strip() for part in text.split(",") if part.strip())


def _about_redis(given: Mapping[str, Given], environ: Mapping[str, str]) -> dict[str, Any]:
    """Where `redis` was said, and the URL that counts when nobody says one."""
    about: dict[str, Any] = {}
    if redis := given.get("redis"):
        about["redis_origin"] = redis.origin
    if url := environ.get("REDIS_URL"):
        about["redis_fallback"] = _value(BY_NAME["redis"], Given((url,), "REDIS_URL"))
    return about


def _derived(chosen: Mapping[str, Any], *, target: str, cpus: int) -> dict[str, Any]:
    """The defaults that depend on something else."""
    name = default_name(target)
    return {
        "workers": cpus,
        "slots": max(4, 2 * chosen.get("workers", cpus)),
        "name": name,
        "redis_prefix": f"siocluster:{chosen.get('name', name)}",
        "run_dir": DEFAULT_RUN_DIR,
        "data_dir": chosen.get("run_dir", DEFAULT_RUN_DIR) / "data",
    }


def _absolute(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Every relative path counts from `folder`."""
    return {
        name: folder / value if isinstance(value, Path) else value for name, value in values.items()
    }


def _check(settings: Settings) -> None:
    if settings.slots < settings.workers:
        raise SettingsError(
            f"--slots {settings.slots} is less than --workers {settings.workers}.",
            hint="Every worker needs a slot; twice as many leave room for reloads.",
        )
    last = settings.base_port + settings.slots - 1
    if last > HIGHEST_PORT:
        raise SettingsError(
            f"--base-port {settings.base_port} with {settings.slots} slots ends at port {last},"
            f" past {HIGHEST_PORT}.",
            hint="Choose a lower --base-port or fewer --slots.",
        )
    if settings.front != "none" and settings.base_port <= settings.bind.port <= last:
        raise SettingsError(
            f"--bind {settings.bind} lies among the workers' ports {settings.base_port} to {last}.",
            hint="Choose another --bind or --base-port.",
        )
    if bool(settings.certfile) != bool(settings.keyfile):
        raise SettingsError("--certfile and --keyfile go together; one of them is missing.")
    for file in (settings.certfile, settings.keyfile):
        if file and not file.is_file():
            raise SettingsError(f"{file} does not exist or is no file.")
    if settings.backoff > settings.backoff_max:
        raise SettingsError("--backoff is longer than --backoff-max.")


def default_name(target: str) -> str:
    """The target's module, without the package that maps the bundled chat into a wheel."""
    module = target.partition(":")[0].removeprefix("siocluster.")
    return "".join(letter if letter.isalnum() or letter in "_.-" else "-" for letter in module)[:64]


def _read_config(folder: Path, config: Path | None) -> tuple[dict[str, Given], str | None]:
    """Keys of the config file as texts, and its target if it names one."""
    file, table = _config_table(folder, config)
    target = table.pop("target", None)
    if target is not None and not isinstance(target, str):
        raise SettingsError(f'{file}: target must be text such as "app:socketio".')
    return {
        _known(key, file): Given(_texts(key, value, file), f"{file}: {key}")
        for key, value in table.items()
    }, target


def _config_table(folder: Path, config: Path | None) -> tuple[str, dict[str, object]]:
    if config is not None:
        if not (folder / config).is_file():
            raise SettingsError(f"--config {config} does not exist or is no file.")
        table = _parse(folder / config)
        return str(config), _section(table) if config.name == PROJECT_FILE else table
    if (folder / CONFIG_FILE).is_file():
        return CONFIG_FILE, _parse(folder / CONFIG_FILE)
    if (folder / PROJECT_FILE).is_file():
        return PROJECT_FILE, _section(_parse(folder / PROJECT_FILE))
    return "", {}


def _parse(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file.name} is not valid TOML: {error}.") from None
    except OSError as error:
        raise SettingsError(f"{file.name} cannot be read: {error.strerror}.") from None


def _section(table: dict[str, object]) -> dict[str, object]:
    tool = table.get("tool", {})
    section = tool.get("siocluster", {}) if isinstance(tool, dict) else {}
    return dict(section) if isinstance(section, dict) else {}


def _known(key: str, file: str) -> str:
    name = key.replace("-", "_")
    if name not in BY_NAME:
        near = difflib.get_close_matches(name, BY_NAME, n=1)
        hint = f"Did you mean {near[0]}?" if near else "`siocluster --help` lists the options."
        raise SettingsError(f"{file}: there is no option named {key}.", hint=hint)
    return name


def _texts(key: str, value: object, file: str) -> tuple[str, ...]:
    if isinstance(value, list) and BY_NAME[key.replace("-", "_")].many:
        return tuple(str(item) for item in value)
    if isinstance(value, dict) and key == "static":
        return tuple(f"{url}={directory}" for url, directory in value.items())
    if isinstance(value, bool | list | dict):
        # The value itself stays unsaid: it may hold a password.
        kind = {bool: "true or false", list: "a list", dict: "a table"}[type(value)]
        raise SettingsError(f"{file}: {key} cannot be {kind}.")
    return (str(value),)
