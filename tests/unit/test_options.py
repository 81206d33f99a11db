"""Text to values: what each kind of option takes, and the words with which it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from siocluster import parsers
from siocluster.address import Address
from siocluster.options import BY_NAME, OPTIONS


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("localhost:1", "127.0.0.1", 1),
        (":80", "0.0.0.0", 80),
        ("8080", "127.0.0.1", 8080),
        ("[::1]:65535", "::1", 65535),
        ("[::]:3000", "::", 3000),
    ],
)
def test_an_address_is_read_in_each_usual_form(text: str, host: str, port: int) -> None:
    assert parsers.address(text) == Address(host, port)


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:3000"])
def test_an_address_is_shown_as_one_writes_it(text: str) -> None:
    assert str(parsers.address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:x",
        "1.2.3:80",
        "example.org:80",
        "[::1]",
        "[::1:80",
        "127.0.0.1:80:90",
        "127.0.0.1:-1",
        " :80",
    ],
)
def test_a_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="needs"):
        parsers.address(text)


def test_an_ipv6_address_without_brackets_is_told_about_them() -> None:
    with pytest.raises(ValueError, match=r"in brackets: \[::1\]:3000"):
        parsers.address("::1:3000")


def test_a_whole_number_keeps_its_bounds() -> None:
    parse = parsers.integer(1, 512)
    assert (parse("1"), parse("512")) == (1, 512)
    for text in ("0", "513", "10000", "-1"):
        with pytest.raises(ValueError, match="must be from 1 to 512"):
            parse(text)


@pytest.mark.parametrize("text", ["", "two", "2.5", "0x10", "1e2", "nan"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="needs a whole number from 1 to 512"):
        parsers.integer(1, 512)(text)


def test_seconds_may_have_a_fraction_and_keep_their_bounds() -> None:
    parse = parsers.seconds(0.01, 300)
    assert (parse("0.5"), parse("300")) == (0.5, 300)
    for text in ("0", "-1", "300.1", "inf", "nan"):
        with pytest.raises(ValueError, match=r"must be from 0\.01 to 300 seconds"):
            parse(text)
    with pytest.raises(ValueError, match="needs a number of seconds"):
        parse("5s")


def test_a_choice_names_what_there_is() -> None:
    with pytest.raises(ValueError, match="must be one of text, json"):
        parsers.choice("text", "json")("yaml")


@pytest.mark.parametrize("text", ["", "a\nb", "a\x00b", "\x7f"])
def test_a_path_holds_no_control_character(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        parsers.path(text)


def test_a_path_may_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert parsers.path("~/run") == Path("/home/ada/run")


def test_networks_are_addresses_networks_or_all() -> None:
    assert parsers.networks("10.0.0.1") == "10.0.0.1/32"
    assert parsers.networks("10.1.2.3/8") == "10.0.0.0/8"
    assert parsers.networks("fd00::/8") == "fd00::/8"
    assert parsers.networks("*") == "*"
    for text in ("", "all", "10.0.0.0/33", "example.org"):
        with pytest.raises(ValueError, match="needs addresses or networks"):
            parsers.networks(text)


def test_a_static_mapping_always_ends_its_url_with_a_slash() -> None:
    assert parsers.static_mapping("/static=./files") == ("/static/", "./files")
    assert parsers.static_mapping("/a/=x=y") == ("/a/", "x=y")
    assert parsers.static_mapping("/=site") == ("/", "site")


@pytest.mark.parametrize("text", ["", "/static", "static=dir", "/static=", "=dir"])
def test_a_static_mapping_needs_both_sides(text: str) -> None:
    with pytest.raises(ValueError, match="needs URL=DIR"):
        parsers.static_mapping(text)


@pytest.mark.parametrize(
    "text",
    [
        *("embedded", "redis://h", "rediss://u:p@h:1/2", "unix:///run/redis.sock"),
        "redis+sentinel://u:p@h1:26379,h2:26379/service/0",
    ],
)
def test_a_redis_url_that_the_bus_can_use_is_kept_as_it_is(text: str) -> None:
    assert parsers.redis_url(text) == text


@pytest.mark.parametrize("text", ["", "redis", "amqp://h", "localhost:6379", "redis:/h"])
def test_another_queue_is_refused_by_the_schemes_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="needs redis://, rediss://, unix://"):
        parsers.redis_url(text)


def test_a_size_is_written_in_nginx_s_way() -> None:
    assert [parsers.size(text) for text in ("0", "512k", "100M")] == ["0", "512k", "100M"]
    for text in ("", "1t", "-1m", "1.5m", "100 m", "1m; evil"):
        with pytest.raises(ValueError, match="size in nginx's way"):
            parsers.size(text)


def test_a_byte_count_is_a_number_of_bytes() -> None:
    texts = ("1024", "1k", "512K", "8m", "1G", "2g")
    assert [parsers.byte_count(text) for text in texts] == [
        *(1024, 1024, 512 * 1024, 8 << 20, 1 << 30, 2 << 30)
    ]


@pytest.mark.parametrize(
    "text", ["", "k", "0", "0g", "1023", "-1m", "1.5m", "1 m", "1kb", "1t", "1m\n", "²k", "9" * 10]
)
def test_a_byte_count_that_is_none_or_too_small_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a size of at least 1k"):
        parsers.byte_count(text)


def parse(name: str, text: str) -> object:
    return BY_NAME[name].parse(text)


def test_a_node_s_name_ends_in_a_letter() -> None:
    assert [parse("node", text) for text in ("a", "b2c", "1234567a")] == ["a", "b2c", "1234567a"]
    for text in ("", "a1", "A", "12345678a", "ä", "a\n", "a-b"):
        with pytest.raises(ValueError, match="the last one a letter"):
            parse("node", text)


def test_a_server_name_cannot_end_its_directive() -> None:
    assert parse("server_name", "a.example *.b.example") == "a.example *.b.example"
    with pytest.raises(ValueError, match="needs host names"):
        parse("server_name", "a; return 200")


def test_a_health_path_is_a_prefix() -> None:
    assert [parse("health_path", text) for text in ("/", "/-/")] == ["/", "/-/"]
    for text in ("", "-/", "/health", "/a b/"):
        with pytest.raises(ValueError, match="needs a prefix"):
            parse("health_path", text)


@pytest.mark.parametrize(
    ("name", "good", "bad", "words"),
    [
        ("redis_prefix", "shop:live.v2_b-1", "", "1 to 64 letters"),
        ("redis_prefix", "x" * 64, "x" * 65, "1 to 64 letters"),
        ("redis_prefix", "shop", "{shop}", "1 to 64 letters"),
        ("redis_prefix", "shop", "a shop", "1 to 64 letters"),
        ("redis_prefix", "shop", "shop*", "1 to 64 letters"),
        ("redis_prefix", "shop", "shop\n", "1 to 64 letters"),
        ("recovery", "on", "yes", "one of auto, on, off"),
        ("direct", "local", "remote", "one of stored, local"),
        ("volatile", "typing", "", "events such as typing"),
        ("volatile", "/live", "a b", "events such as typing"),
        ("volatile", "☂", "a,b", "events such as typing"),
        ("recovery_bytes", "1m", "10", "at least 1k"),
        ("outbox_bytes", "8m", "much", "at least 1k"),
    ],
)
def test_a_setting_of_the_bus_takes_what_it_can_use(
    name: str, good: str, bad: str, words: str
) -> None:
    parse(name, good)
    with pytest.raises(ValueError, match=words):
        parse(name, bad)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("recovery_seconds", 1, 86400),
        ("recovery_events", 1, 1_000_000),
        ("outbox_emits", 1, 1_000_000),
        ("outbox_seconds", 1, 3600),
    ],
)
def test_a_number_of_the_bus_keeps_its_bounds(name: str, low: int, high: int) -> None:
    assert [parse(name, str(low)), parse(name, str(high))] == [low, high]
    for text in (str(low - 1), str(high + 1), "-1", "nan", "many"):
        with pytest.raises(ValueError):
            parse(name, text)


def test_no_two_options_share_a_name_a_letter_or_a_variable() -> None:
    names = [option.name for option in OPTIONS]
    letters = [option.short for option in OPTIONS if option.short]
    variables = [variable for option in OPTIONS for variable in option.environment]
    for given in (names, letters, variables):
        assert len(given) == len(set(given))


def test_an_option_is_named_alike_on_the_command_line_and_in_the_environment() -> None:
    workers, allowed = BY_NAME["workers"], BY_NAME["forwarded_allow_ips"]
    assert (workers.flag, workers.environment) == (
        "--workers",
        ("SIOCLUSTER_WORKERS", "WEB_CONCURRENCY"),
    )
    assert allowed.flag == "--forwarded-allow-ips"
