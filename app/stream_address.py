"""Where a stream on NATS lives: what HOLDFIRE_STREAM_URL says, read and checked. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_NAME = "holdfire"
DEFAULT_PORT = 4222
ALLOWED = (
    "nats://[user:password@]host[:4222][,host…][/name], with tls:// for an encrypted connection; the name is of "
    "letters, digits, - and _ and tells installations on one NATS apart"
)
_SCHEMES = ("nats", "tls")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Servers of one NATS as host:port, how to sign in there, and the name of the stream.

    A user without a password is a token. shown: the URL as it may be printed, without either.
    """

    servers: tuple[str, ...]
    name: str
    user: str | None
    password: str | None
    is_encrypted: bool

    @property
    def urls(self) -> list[str]:
        """Return one URL per server, without who signs in."""
        scheme = "tls" if self.is_encrypted else "nats"
        return [f"{scheme}://{server}" for server in self.servers]

    @property
    def shown(self) -> str:
        """Return the whole address as it may be printed."""
        return f"{'tls' if self.is_encrypted else 'nats'}://{','.join(self.servers)}/{self.name}"


def parse_stream_address(url: str) -> StreamAddress:
    """Return the address that a URL names. Raises ValueError with what is allowed, and with nothing of the URL."""
    try:
        split = urlsplit(url)
    except ValueError as fault:
        raise ValueError(f"must be {ALLOWED}") from fault
    name = split.path.strip("/") or DEFAULT_NAME
    if split.scheme not in _SCHEMES or split.query or split.fragment or not _NAME.fullmatch(name):
        raise ValueError(f"must be {ALLOWED}")
    credentials, _, hosts = split.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    return StreamAddress(
        servers=tuple(map(_server, hosts.split(","))),
        name=name,
        user=unquote(user) or None,
        password=unquote(password) or None,
        is_encrypted=split.scheme == "tls",
    )


def _server(text: str) -> str:
    """Return host:port. Raises ValueError when it is none."""
    try:
        host, port = _split_host(text.strip()).hostname, _split_host(text.strip()).port
    except ValueError as fault:
        raise ValueError(f"must be {ALLOWED}; a host or port cannot be read") from fault
    if not host:
        raise ValueError(f"must be {ALLOWED}; a host is missing")
    return f"{f'[{host}]' if ':' in host else host}:{port or DEFAULT_PORT}"


def _split_host(text: str) -> SplitResult:
    return urlsplit(f"//{text}")
