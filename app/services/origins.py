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
    parts = urlsplit(origin)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return False
    return _place(parts.netloc, parts.scheme) == _place(host, parts.scheme)


def _place(netloc: str, scheme: str) -> tuple[str | None, int | None]:
    parts = urlsplit(f"//{netloc}")
    try:
        return parts.hostname, parts.port or DEFAULT_PORTS[scheme]
    except ValueError:  # a port that is no number
        return None, None
