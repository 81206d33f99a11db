"""Real sockets: a listener refuses while muted, keeps its port always, and names who holds it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from siocluster import listeners
from siocluster.address import Address
from siocluster.errors import EXIT_BUSY, BusyError, SettingsError
from siocluster.listeners import Listener
from tests.integration.waiting import free_ports

SECONDS = 5


def connect(address: Address) -> socket.socket:
    return socket.create_connection((address.host, address.port), timeout=SECONDS)


def bind(address: Address, *, reuse: bool) -> None:
    """Try to take the port as another program would."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        other.bind((address.host, address.port))
        other.listen()


def test_a_new_listener_holds_its_port_and_refuses(listener: Listener) -> None:
    assert not listeners.answers(listener.address)
    with pytest.raises(BusyError):
        Listener(listener.address)


def test_people_wait_in_the_backlog_until_somebody_accepts(listener: Listener) -> None:
    listener.listen()
    with (
        connect(listener.address) as client,
        socket.socket(fileno=os.dup(listener.fileno())) as inherited,
    ):
        client.sendall(b"hello")
        inherited.settimeout(SECONDS)
        accepted, _ = inherited.accept()
        with accepted:
            accepted.settimeout(SECONDS)
            assert accepted.recv(16) == b"hello"


def test_a_listener_can_be_muted_and_come_back_again_and_again(listener: Listener) -> None:
    for _ in range(3):
        listener.listen()
        assert listeners.answers(listener.address)
        listener.mute()
        assert not listeners.answers(listener.address)


def test_muting_a_listener_that_does_not_listen_is_no_error(listener: Listener) -> None:
    listener.mute()
    listener.mute()
    listener.listen()
    assert listeners.answers(listener.address)


def test_whoever_waits_in_a_backlog_that_is_muted_is_let_go(listener: Listener) -> None:
    listener.listen()
    with connect(listener.address) as client:
        listener.mute()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("stage", ["new", "listening", "muted"])
def test_nobody_else_can_take_the_port(listener: Listener, stage: str, reuse: bool) -> None:
    if stage != "new":
        listener.listen()
    if stage == "muted":
        listener.mute()
    with pytest.raises(OSError, match="in use"):
        bind(listener.address, reuse=reuse)


def test_a_muted_worker_s_socket_can_listen_again_from_its_own_descriptor(
    listener: Listener,
) -> None:
    listener.listen()
    listener.mute()
    with socket.socket(fileno=os.dup(listener.fileno())) as inherited:
        listeners.listen(inherited)
    assert listeners.answers(listener.address)


def test_mute_closes_what_a_worker_opened_without_the_master_s_knowledge(
    listener: Listener,
) -> None:
    with socket.socket(fileno=os.dup(listener.fileno())) as inherited:
        listeners.listen(inherited)
    listener.mute()
    assert not listeners.answers(listener.address)


def test_a_closed_listener_gives_its_port_back_at_once(address: Address) -> None:
    listener = Listener(address)
    listener.listen()
    with connect(address):
        listener.close()
    bind(address, reuse=True)
    listeners.check_free(address)


def test_all_ports_are_bound_or_none() -> None:
    first, taken, last = (Address("127.0.0.1", port) for port in free_ports(3))
    with socket.socket() as other:
        other.bind((taken.host, taken.port))
        with pytest.raises(BusyError, match=str(taken)):
            listeners.bind_all([first, taken, last])
    for address in (first, taken, last):
        listeners.check_free(address)


def test_ipv6_has_listeners_too() -> None:
    address = Address("::1", free_ports(1)[0])
    listener = Listener(address)
    try:
        listener.listen()
        assert listeners.answers(address)
        assert listeners.answers(Address("::", address.port))
    finally:
        listener.close()


def test_checking_a_port_leaves_it_free(address: Address) -> None:
    listeners.check_free(address)
    listeners.check_free(address)
    bind(address, reuse=False)


def test_a_port_in_use_names_its_holder(address: Address) -> None:
    code = (
        "import socket, sys; held = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
        "print('bound', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code, str(address.port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"bound\n"
        with pytest.raises(BusyError) as caught:
            listeners.check_free(address)
    assert caught.value.message.startswith(f"{address} is in use by pid {holder.pid} (python")
    assert caught.value.exit_code == EXIT_BUSY
    assert "--base-port" in caught.value.hint


def test_nobody_holds_a_free_port(address: Address) -> None:
    assert listeners.port_holder(address.port) is None


def test_an_address_of_another_machine_is_the_user_s_mistake() -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:\d+ is no address of this machine"):
        Listener(Address("192.0.2.1", free_ports(1)[0]))


def test_a_privileged_port_says_which_ports_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    error = listeners.bind_error(Address("127.0.0.1", 80), PermissionError(13, "denied"))
    assert isinstance(error, SettingsError)
    assert "1024" in error.hint
