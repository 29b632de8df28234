"""POST to an address that a tenant typed in, without becoming a way into our own network.

requests-hardened resolves the name once, refuses private addresses and connects to the very
address it checked (so a name that answers differently the second time gains nothing). On top of
that: a second look at the address, no redirects, no proxies or ``.netrc`` from the environment,
an end to the whole exchange however slowly it drips, and a cap on what is read of the answer.

With ``allow_private`` (the setting WEBHOOK_ALLOW_PRIVATE) the address is not looked at: for
platforms whose receivers stand in the same network, and whose tenants are trusted with it.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
EXCERPT_BYTES = 2048
MAX_ERROR = 300
MAX_HEADERS, MAX_HEADER = 30, 200
NO_ANSWER = "No answer in time."
_GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or the reason why there is none."""

    status: int | None
    duration_ms: int
    error: str = ""
    excerpt: str = ""
    retry_after: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """The first ones, cut; cookies are not kept."""

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it now."""
        return self.status is not None and 200 <= self.status < 300


def post(
    *,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allow_private: bool = False,
    seconds: float = TOTAL_SECONDS,
    now: datetime | None = None,
) -> Answer:
    """Send once and say what happened; bad addresses and broken connections are answers, not exceptions.

    ``seconds`` is the end of the whole exchange. ``now`` is what a Retry-After with a date is counted from, where the
    receiver does not say what time it takes it for.
    """
    started = time.monotonic()
    with _Deadline(seconds) as deadline, _session(allow_private) as session:
        try:
            response = session.post(
                url,
                data=body,
                headers={**headers, "Accept-Encoding": "identity", "Connection": "close"},
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return Answer(None, _millis(started), _explain(error, deadline))
        with response:
            if deadline.expired:  # Headers that were cut off look complete to the parser.
                return Answer(None, _millis(started), NO_ANSWER)
            return Answer(
                response.status_code,
                error="Redirects are not followed." if 300 <= response.status_code < 400 else "",
                excerpt=_excerpt(response),
                retry_after=retry_after(response.headers, now),
                headers=_kept(response.headers),
                duration_ms=_millis(started),
            )


def is_public(address: str) -> bool:
    """True for an address on the open internet; stricter than ``is_global``, which knows exceptions.

    IPv6 must lie in 2000::/3, which leaves out everything that wraps or translates IPv4.
    """
    ip = ipaddress.ip_address(address.strip("[]"))
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_UNICAST_V6:
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


class _Deadline:
    """Cuts the connection when the time is over: socket timeouts start anew with every byte that drips in."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        _current.reset(self._token)
        self._timer.cancel()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def watch(self, connected: socket.socket) -> None:
        """A duplicate, because TLS and the HTTP client each close or replace the socket object they hold."""
        with self._lock:
            if self.expired:
                raise TimeoutError
            self._socket = socket.socket(fileno=socket.dup(connected.fileno()))

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:  # The other side was faster.
                    return


_current: ContextVar[_Deadline] = ContextVar("_current")


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _current.get().watch(self.sock)


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _current.get().watch(self.sock)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    """Connections that end with the deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _GuardedAdapter(_Adapter, IPFilterAdapter):
    """The same, to public addresses only."""

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        if not is_public(host["host"]):
            raise InvalidIPAddress(host["host"])
        return host, pool


def _session(allow_private: bool) -> requests.Session:
    """A session of its own for every request: nothing (cookies, connections) is shared between tenants."""
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = "Resonanz-Webhooks/1"
    for scheme in ("http", "https"):
        adapter = _Adapter() if allow_private else _GuardedAdapter(is_https_proto=scheme == "https")  # type: ignore[call-arg]
        session.mount(f"{scheme}://", adapter)
    return session


def _explain(error: Exception, deadline: _Deadline) -> str:
    if isinstance(error, InvalidIPAddress):
        return "The address is not on the public internet."
    if deadline.expired or isinstance(error, requests.Timeout):
        return NO_ANSWER
    # requests wraps what urllib3 wraps; the innermost reason is the one that helps.
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return f"{type(error).__name__}: {reason}".replace("\x00", "")[:MAX_ERROR]


def _excerpt(response: requests.Response) -> str:
    """The beginning of the body, as sent. The status has decided already, so a broken body is no failure."""
    try:
        raw = response.raw.read(EXCERPT_BYTES, decode_content=False)
    except (HTTPError, OSError, ValueError):
        raw = b""
    text: str = raw.decode("utf-8", "replace").replace("\x00", "")
    return text


def retry_after(headers: Mapping[str, str], now: datetime | None) -> int | None:
    """Seconds the receiver asks us to wait (RFC 9110, 10.2.3): a number, or a date by the receiver's own clock."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return int(value) if len(value) < 10 else None
    until, start = _date(value), _date(headers.get("Date", "")) or now
    return None if until is None or start is None else max(0, round((until - start).total_seconds()))


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """What is worth showing of the answer's headers, in characters that can be stored and shown."""
    found = [(name, value) for name, value in headers.items() if name.lower() != "set-cookie"][:MAX_HEADERS]
    return {_plain(name): _plain(value) for name, value in found}


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:MAX_HEADER])


def _millis(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
