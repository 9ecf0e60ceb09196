"""Which web pages may talk to us with a visitor's cookie: our own, and those an operator named. Pure."""

from collections.abc import Sequence
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_allowed(origin: str, host: str, allowed: Sequence[str]) -> bool:
    """Return whether an Origin header is our own Host, or one of the `allowed` origins (`https://board.example`).

    Schemes are not compared with our own: behind a proxy that ends TLS we see http where the browser sees https.
    """
    if origin in allowed:
        return True
    scheme = origin.partition(":")[0]
    place = _place(origin.partition("//")[2], scheme)
    return place is not None and place == _place(host, scheme)


def _place(netloc: str, scheme: str) -> tuple[str, int] | None:
    """Return host and port, the scheme's own port filled in; None where that makes no sense."""
    try:
        parts = urlsplit(f"//{netloc}")
        port = parts.port or DEFAULT_PORTS[scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname, port) if parts.hostname else None
