"""The URL of a receiver, taken apart once: what is checked is what is connected to."""

from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_URL = 2_000
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. path begins with / and has the query; host is lower case, an IPv6 one without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"


def parse_url(text: str) -> Target:
    """Return where a URL leads. Raises ValueError with a sentence that says what is wrong and what is allowed."""
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text or len(text) > LONGEST_URL:
        raise ValueError(
            f"the URL must be 1 to {LONGEST_URL:,} ASCII characters without spaces and backslashes; "
            "write other characters as %XX, and a host name in its xn-- form"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as fault:
        raise ValueError(f"{text!r} is no URL: {fault}") from None
    scheme = parts.scheme
    if scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"{text!r} must begin with https:// (or http://) and a host")
    if "@" in parts.netloc:
        raise ValueError("the URL must hold no user name or password; the receiver checks the signature instead")
    if "#" in text:
        raise ValueError("the URL must have no fragment: what follows # is never sent")
    if port == 0:
        raise ValueError("port 0 cannot be connected to")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, parts.hostname, port or DEFAULT_PORTS[scheme], path)


def redacted(text: str) -> str:
    """Return scheme and host of a URL, for logs: in chat tools' URLs the path is the secret."""
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
