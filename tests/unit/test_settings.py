"""Which of flag, environment, file and default counts, and how bad ones are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from siocluster import settings
from siocluster.errors import EXIT_USAGE, SettingsError
from siocluster.options import BY_NAME, OPTIONS, Option
from siocluster.settings import Settings


def load(
    folder: Path,
    flags: Mapping[str, Sequence[str]] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    toml: str | None = None,
    cpus: int = 2,
    target: str | None = None,
    config: str | None = None,
) -> Settings:
    if toml is not None:
        (folder / "siocluster.toml").write_text(toml)
    return settings.load(
        flags or {},
        environ=environ or {},
        folder=folder,
        cpus=cpus,
        target=target,
        config=Path(config) if config else None,
    )


def refusal(folder: Path, *args: object, **options: object) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(folder, *args, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == EXIT_USAGE
    return caught.value


# Precedence


@pytest.mark.parametrize(
    ("name", "flag", "variable", "written"),
    [
        ("workers", "1", "3", "4"),
        ("bind", "127.0.0.1:1", "2", "[::1]:3"),
        ("boot_timeout", "1.5", "2", "3"),
        ("log_level", "error", "warning", "debug"),
        ("redis", "redis://flag", "redis://variable", "redis://file"),
        ("server_name", "flag.example", "variable.example", "file.example"),
    ],
)
def test_flag_beats_environment_beats_file_beats_default(
    tmp_path: Path, name: str, flag: str, variable: str, written: str
) -> None:
    default = getattr(load(tmp_path), name)
    environ = {f"SIOCLUSTER_{name.upper()}": variable}
    toml = f'{name} = "{written}"'
    found = [
        getattr(load(tmp_path, {name: (flag,)}, environ=environ, toml=toml), name),
        getattr(load(tmp_path, environ=environ, toml=toml), name),
        getattr(load(tmp_path, toml=toml), name),
    ]
    assert found == [BY_NAME[name].parse(text) for text in (flag, variable, written)]
    assert default not in found


def test_lists_of_different_places_are_not_added_up(tmp_path: Path) -> None:
    flags = {"forwarded_allow_ips": ("10.0.0.1",)}
    environ = {"FORWARDED_ALLOW_IPS": "10.0.0.2, 10.0.0.3"}
    toml = 'forwarded_allow_ips = ["*"]'
    assert load(tmp_path, toml=toml).forwarded_allow_ips == ("*",)
    found = load(tmp_path, environ=environ, toml=toml)
    assert found.forwarded_allow_ips == ("10.0.0.2/32", "10.0.0.3/32")
    found = load(tmp_path, flags, environ=environ, toml=toml)
    assert found.forwarded_allow_ips == ("10.0.0.1/32",)


def test_the_own_variable_beats_the_common_one(tmp_path: Path) -> None:
    environ = {"WEB_CONCURRENCY": "3", "SIOCLUSTER_WORKERS": "5"}
    assert load(tmp_path, environ=environ).workers == 5
    assert load(tmp_path, environ={"WEB_CONCURRENCY": "3"}).workers == 3


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    found = load(tmp_path, environ={"SIOCLUSTER_WORKERS": "", "REDIS_URL": ""}, cpus=3)
    assert (found.workers, found.redis_fallback) == (3, None)


def test_the_last_of_several_flags_counts(tmp_path: Path) -> None:
    assert load(tmp_path, {"workers": ("2", "4")}).workers == 4


def test_flags_that_may_be_given_again_add_up(tmp_path: Path) -> None:
    found = load(tmp_path, {"static": ("/a=x", "/b=y,/c=z")})
    assert found.static == (("/a/", "x"), ("/b/", "y"), ("/c/", "z"))


def test_redis_url_counts_less_than_what_the_app_names(tmp_path: Path) -> None:
    found = load(tmp_path, environ={"REDIS_URL": "redis://env"})
    assert (found.redis, found.redis_fallback) == (None, "redis://env")


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ({"flags": {"redis": ("redis://h",)}}, "--redis"),
        ({"environ": {"SIOCLUSTER_REDIS": "redis://h"}}, "SIOCLUSTER_REDIS"),
        ({"toml": 'redis = "redis://h"'}, "siocluster.toml: redis"),
    ],
)
def test_the_start_can_say_where_redis_was_named(
    tmp_path: Path, given: dict[str, object], origin: str
) -> None:
    assert load(tmp_path, **given).redis_origin == origin  # type: ignore[arg-type]


def test_the_target_has_the_same_order(tmp_path: Path) -> None:
    environ = {"SIOCLUSTER_TARGET": "env:app"}
    toml = 'target = "file:app"'
    assert load(tmp_path).target == settings.BUNDLED_CHAT
    assert load(tmp_path, toml=toml).target == "file:app"
    assert load(tmp_path, toml=toml, environ=environ).target == "env:app"
    assert load(tmp_path, toml=toml, environ=environ, target="flag:app").target == "flag:app"


# Defaults that depend on others


@pytest.mark.parametrize(("workers", "slots"), [(1, 4), (2, 4), (3, 6), (64, 128)])
def test_slots_are_twice_the_workers_and_at_least_four(
    tmp_path: Path, workers: int, slots: int
) -> None:
    assert load(tmp_path, cpus=workers).slots == slots


def test_paths_count_from_the_folder_of_the_start(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    given = {"certfile": "cert.pem", "keyfile": "key.pem", "access_logfile": "a.log"}
    found = load(
        tmp_path, {name: (text,) for name, text in {**given, "nginx": "bin/nginx"}.items()}
    )
    assert found.run_dir == tmp_path / ".siocluster"
    assert found.data_dir == tmp_path / ".siocluster/data"
    assert found.certfile == tmp_path / "cert.pem"
    assert found.keyfile == tmp_path / "key.pem"
    assert found.access_logfile == tmp_path / "a.log"
    assert found.nginx == tmp_path / "bin/nginx"


def test_an_absolute_path_stays_where_it_is(tmp_path: Path) -> None:
    found = load(tmp_path, {"run_dir": ("/run/chat",)})
    assert (found.run_dir, found.data_dir) == (Path("/run/chat"), Path("/run/chat/data"))


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (settings.BUNDLED_CHAT, "chatapp"),
        ("chatapp:socketio", "chatapp"),
        ("shop.web:app", "shop.web"),
        ("m" * 90 + ":app", "m" * 64),
    ],
)
def test_the_name_comes_from_the_target_s_module(tmp_path: Path, target: str, name: str) -> None:
    assert load(tmp_path, target=target).name == name


def test_settings_cannot_be_changed_once_made(tmp_path: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load(tmp_path).workers = 3  # type: ignore[misc]


def test_every_option_is_a_setting() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}
    assert {option.name for option in OPTIONS} <= fields


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_is_read_as_the_type_that_its_setting_has(option: Option) -> None:
    read = get_type_hints(option.parse)["return"]
    field = get_type_hints(Settings)[option.name]
    assert (tuple[read, ...] if option.many else read) in (field, *get_args(field))  # type: ignore[valid-type]


def test_no_setting_holds_a_relative_path(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    given = {"certfile": ("cert.pem",), "keyfile": ("key.pem",)}
    names = [option.name for option in OPTIONS if get_type_hints(option.parse)["return"] is Path]
    assert set(given) < set(names)
    found = load(tmp_path, {**dict.fromkeys(names, ("x",)), **given})
    assert [name for name in names if not getattr(found, name).is_absolute()] == []


# Bad values are named with their place

BAD = {
    "workers": "10000",
    "slots": "many",
    "base_port": "70000",
    "bind": "nowhere",
    "worker_bind": "example.org",
    "front": "apache",
    "balance": "random",
    "redis_fsync": "sometimes",
    "forwarded_allow_ips": "10.0.0.0/99",
    "static": "static",
    "max_body": "1t",
    "server_name": "a;b",
    "connections": "1",
    "path": "/a b",
    "health_path": "health",
    "name": "a b",
    "node": "a1",
    "graceful_timeout": "-1",
    "boot_timeout": "0",
    "heartbeat_timeout": "soon",
    "backoff": "0",
    "backoff_max": "0",
    "log_format": "xml",
    "log_level": "loud",
}


@pytest.mark.parametrize(("name", "text"), BAD.items())
def test_a_bad_value_is_named_with_the_place_to_mend(tmp_path: Path, name: str, text: str) -> None:
    flag, variable = "--" + name.replace("_", "-"), f"SIOCLUSTER_{name.upper()}"
    assert refusal(tmp_path, {name: (text,)}).message.startswith(f"{flag} {text}: ")
    error = refusal(tmp_path, environ={variable: text})
    assert error.message.startswith(f"{variable} {text}: ")
    error = refusal(tmp_path, toml=f'{name} = "{text}"')
    assert error.message.startswith(f"siocluster.toml: {name} {text}: ")


def test_a_value_of_great_length_is_not_shown_whole(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, {"workers": ("9" * 10_000,)}).message) < 200


def test_fewer_slots_than_workers_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"workers": ("8",), "slots": ("4",)})
    assert error.message == "--slots 4 is less than --workers 8."


def test_ports_end_at_the_highest_there_is(tmp_path: Path) -> None:
    assert load(tmp_path, {"base_port": ("65532",), "slots": ("4",)}).base_port == 65532
    error = refusal(tmp_path, {"base_port": ("65533",), "slots": ("4",)})
    assert "ends at port 65536, past 65535" in error.message


@pytest.mark.parametrize(("port", "clashes"), [(6000, 0), (6001, 1), (6004, 1), (6005, 0)])
def test_the_public_port_is_none_of_the_workers(tmp_path: Path, port: int, clashes: int) -> None:
    flags = {"bind": (str(port),), "slots": ("4",)}
    if clashes:
        assert "lies among the workers' ports 6001 to 6004" in refusal(tmp_path, flags).message
    else:
        assert load(tmp_path, flags).bind.port == port


def test_without_a_front_the_public_port_does_not_matter(tmp_path: Path) -> None:
    flags = {"bind": ("6001",), "slots": ("4",)}
    assert load(tmp_path, {**flags, "front": ("none",)}).base_port == 6001
    for front in ("auto", "nginx"):
        assert "lies among" in refusal(tmp_path, {**flags, "front": (front,)}).message


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").touch()
    assert "go together" in refusal(tmp_path, {"certfile": ("cert.pem",)}).message
    error = refusal(tmp_path, {"certfile": ("cert.pem",), "keyfile": ("key.pem",)})
    assert error.message == f"{tmp_path / 'key.pem'} does not exist or is no file."


def test_a_backoff_is_not_longer_than_its_cap(tmp_path: Path) -> None:
    assert "--backoff" in refusal(tmp_path, {"backoff": ("40",)}).message


# Passwords


@pytest.mark.parametrize(
    "given",
    [
        {"flags": {"redis": ("http://:hunter2@h",)}},
        {"environ": {"SIOCLUSTER_REDIS": "http://:hunter2@h"}},
        {"environ": {"REDIS_URL": "http://:hunter2@h"}},
        {"toml": 'redis = "http://:hunter2@h"'},
        {"toml": 'redis = {url = "redis://:hunter2@h"}'},
        {"toml": 'redis = ["redis://:hunter2@h"]'},
        {"toml": "redis = redis://:hunter2@h"},
    ],
)
def test_no_message_holds_a_password(tmp_path: Path, given: dict[str, object]) -> None:
    error = refusal(tmp_path, **given)
    assert "hunter2" not in error.message + error.hint + error.detail


# The file


def test_keys_may_have_hyphens_or_underscores(tmp_path: Path) -> None:
    assert load(tmp_path, toml="base-port = 7001").base_port == 7001
    assert load(tmp_path, toml="base_port = 7002").base_port == 7002


def test_the_file_s_own_types_are_understood(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        toml="""
        workers = 3
        backoff = 0.25
        forwarded_allow_ips = ["10.0.0.0/8", "192.168.0.0/16"]
        static = {"/static" = "files", "/media/" = "uploads"}
        """,
    )
    assert (found.workers, found.backoff) == (3, 0.25)
    assert found.forwarded_allow_ips == ("10.0.0.0/8", "192.168.0.0/16")
    assert found.static == (("/static/", "files"), ("/media/", "uploads"))


def test_an_unknown_key_is_told_the_nearest_name(tmp_path: Path) -> None:
    error = refusal(tmp_path, toml="wrokers = 3")
    assert error.message == "siocluster.toml: there is no option named wrokers."
    assert error.hint == "Did you mean workers?"


def test_an_unknown_key_that_is_near_to_nothing_is_told_where_to_look(tmp_path: Path) -> None:
    assert "--help" in refusal(tmp_path, toml="zzzzzz = 1").hint


@pytest.mark.parametrize(
    "toml",
    [
        "workers = true",
        "workers = []",
        "workers = [1, 2]",
        "workers = {a = 1}",
        "static = true",
        "[workers]\na = 1",
        "target = 1",
        'target = ["app:app"]',
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_its_key(tmp_path: Path, toml: str) -> None:
    message = refusal(tmp_path, toml=toml).message
    assert message.startswith("siocluster.toml: ")
    assert toml.lstrip("[").partition(" ")[0].partition("]")[0] in message


def test_broken_toml_is_told_the_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, toml="workers = 3\nbind =\n")
    assert error.message.startswith("siocluster.toml is not valid TOML: ")
    assert "line 2" in error.message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "siocluster.toml").write_bytes(b"name = '\xff'")
    assert "not valid TOML" in refusal(tmp_path).message


def test_the_project_file_counts_where_there_is_no_own(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\n[tool.siocluster]\nworkers = 7\n'
    )
    assert load(tmp_path).workers == 7
    assert load(tmp_path, toml="slots = 8").workers == 2


def test_a_project_file_without_our_table_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert load(tmp_path, cpus=5).workers == 5


def test_a_named_config_file_is_read_instead(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("workers = 9")
    assert load(tmp_path, toml="workers = 3", config="other.toml").workers == 9
    assert "--config gone.toml" in refusal(tmp_path, config="gone.toml").message
    (tmp_path / "other.toml").write_text("workers = 0")
    error = refusal(tmp_path, config="other.toml")
    assert error.message.startswith("other.toml: workers 0: ")


def test_a_config_file_can_be_a_project_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/pyproject.toml").write_text("[tool.siocluster]\nworkers = 6\n")
    assert load(tmp_path, config="sub/pyproject.toml").workers == 6
