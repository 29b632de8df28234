"""No tenant's webhook opens a connection inside, and no receiver holds us or fills our memory."""

import gzip
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.integrations import outbound_http
from tests.integrations.receiver import Handler, Receiver, answer, silence

INSIDE = [
    # loopback, in all its spellings
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.255.255.254", "localhost", "LOCALHOST",
    "0.0.0.0", "0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "①②⑦.⓪.⓪.①",
    # IPv4 wrapped in or translated from IPv6
    "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[::ffff:0:127.0.0.1]",
    # metadata services, carrier-grade NAT, private, link-local, site-local, reserved, multicast
    "169.254.169.254", "[fd00:ec2::254]", "192.0.0.192", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "10.0.0.1", "172.16.0.1", "192.168.0.1", "198.18.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1",
    "[fe80::1]", "[fec0::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "[2606:2800:220:1::1]", "8.8.8.8"]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Addresses somebody tried to connect to; every try is refused."""
    tried: list[Any] = []

    def connect(_socket: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """``hook.example`` resolves to one answer after the other; returns the names looked up so far."""
    real, names, left = socket.getaddrinfo, [], list(answers)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "hook.example":
            return real(host, *args, **kwargs)
        names.append(host)
        return real(left.pop(0), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


def post(url: str, **kwargs: Any) -> outbound_http.Answer:
    return outbound_http.post(url=url, body=b"{}", headers={}, **kwargs)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", INSIDE)
def test_no_connection_is_opened_to_an_address_inside(scheme: str, host: str, connections: list[Any]) -> None:
    result = post(f"{scheme}://{host}:8080/")
    assert connections == []
    assert result.status is None
    assert result.error


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_address_is_connected_to(host: str, connections: list[Any]) -> None:
    assert "Connection" in post(f"http://{host}/").error
    assert [address[:2] for address in connections] == [(host.strip("[]"), 80)]


@pytest.mark.parametrize("host", INSIDE)
def test_the_second_look_alone_would_refuse_it_too(host: str) -> None:
    known_exceptions = {"192.0.0.192", "[2002:7f00:1::]", "[3fff::1]"}  # Python 3.11 takes them for public
    found = socket.getaddrinfo(host.strip("[]"), 80, type=socket.SOCK_STREAM)[0][4][0]
    assert outbound_http.is_public(str(found)) is (host in known_exceptions)


@pytest.mark.parametrize("url", [
    "http://example.com@127.0.0.1/", "http://127.0.0.1#@example.com/", "http://127.0.0.1\\@example.com/",
    "http://127.0.0.1:80\\@example.com/", "http://[::1", "http://", "http:///x", "file:///etc/passwd",
    "gopher://127.0.0.1/", "http://127.0.0.1:99999/", "http://" + "a" * 300 + ".example/", "http://\x00/", "",
])  # fmt: skip
def test_a_misleading_address_is_an_answer_and_not_a_connection(url: str, connections: list[Any]) -> None:
    assert post(url).error
    assert connections == []


def test_a_name_that_resolves_to_an_address_inside_is_refused(
    monkeypatch: pytest.MonkeyPatch, connections: list[Any]
) -> None:
    resolve(monkeypatch, "100.64.0.1")
    assert post("http://hook.example/").error == "The address is not on the public internet."
    assert connections == []


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(
    monkeypatch: pytest.MonkeyPatch, connections: list[Any]
) -> None:
    names = resolve(monkeypatch, "93.184.216.34", "127.0.0.1", "127.0.0.1")
    post("http://hook.example:8080/")
    assert connections == [("93.184.216.34", 8080)]
    assert names == ["hook.example"]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.behaviour = answer(302, Location=receiver.url.replace("/hook", "/inside"))
    result = post(receiver.url, allow_private=True)
    assert (result.status, result.error) == (302, "Redirects are not followed.")
    assert [request.path for request in receiver.received] == ["/hook"]


def test_proxies_and_netrc_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, tmp_path: Any, connections: list[Any]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", receiver.url)
    monkeypatch.setenv("http_proxy", receiver.url)
    post("http://93.184.216.34/")
    assert connections == [("93.184.216.34", 80)]
    monkeypatch.undo()
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    post(receiver.url, allow_private=True)
    assert "authorization" not in receiver.received[0].headers


def test_loopback_is_reached_only_when_the_operator_allows_it(receiver: Receiver) -> None:
    assert post(receiver.url).status is None
    assert receiver.received == []
    assert post(receiver.url, allow_private=True).status == 200


def test_of_an_endless_body_only_the_beginning_is_read(receiver: Receiver) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.cut.is_set():
            handler.wfile.write(b"x" * 65_536)

    receiver.behaviour = endless
    started = time.monotonic()
    result = post(receiver.url, allow_private=True)
    assert (result.status, result.excerpt) == (200, "x" * 2048)
    assert time.monotonic() - started < 2
    assert receiver.cut.wait(2), "our side must have closed the connection"


def test_headers_without_end_are_an_answer_and_not_an_error(receiver: Receiver) -> None:
    def endless(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not handler.server.cut.is_set():
            handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    receiver.behaviour = endless
    result = post(receiver.url, allow_private=True)
    assert result.status is None
    assert result.error


def test_a_compressed_body_is_not_unpacked(receiver: Receiver) -> None:
    receiver.behaviour = answer(200, gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
    assert len(post(receiver.url, allow_private=True).excerpt) <= 2048


def test_what_cannot_be_stored_as_text_is_left_out_of_the_excerpt(receiver: Receiver) -> None:
    receiver.behaviour = answer(500, b"a\x00\xffb")
    assert post(receiver.url, allow_private=True).excerpt == "a\N{REPLACEMENT CHARACTER}b"


def test_a_silent_receiver_is_given_up(receiver: Receiver) -> None:
    receiver.behaviour = silence(20)
    started = time.monotonic()
    result = post(receiver.url, allow_private=True, seconds=0.5)
    assert (result.status, result.error) == (None, "No answer in time.")
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_a_receiver_that_answers_drop_by_drop_is_given_up_in_all(receiver: Receiver, beginning: bytes) -> None:
    def drip(handler: Handler) -> None:
        handler.wfile.write(beginning)
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    receiver.behaviour = drip
    started = time.monotonic()
    result = post(receiver.url, allow_private=True, seconds=0.5)
    assert (result.status, result.error) == (None, "No answer in time.")
    assert time.monotonic() - started < 1.5


def test_a_body_that_comes_drop_by_drop_does_not_undo_the_status(receiver: Receiver) -> None:
    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    receiver.behaviour = drip
    started = time.monotonic()
    assert post(receiver.url, allow_private=True, seconds=0.5).status == 200
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(("value", "seconds"), [
    ("7", 7), (" 7 ", 7), ("-7", None), ("7.5", None), ("9" * 30, None), ("soon", None), ("", None),
    ("Sun, 22 Nov 2026 10:02:00 GMT", 120), ("Sunday, 22-Nov-26 10:02:00 GMT", 120), ("Sun Nov 22 10:02:00 2026", 120),
    ("Sun, 22 Nov 2026 09:00:00 GMT", 0), ("Sun, 99 Nov 2026 10:00:00 GMT", None),
])  # fmt: skip
def test_retry_after_is_whole_seconds_or_a_date_by_the_receivers_clock(value: str, seconds: int | None) -> None:
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert outbound_http.retry_after({"Retry-After": value}, now) == seconds
    hour_ahead = {"Retry-After": value, "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    assert outbound_http.retry_after(hour_ahead, now + timedelta(hours=1)) == seconds
