"""Which secrets of a configuration go over a network where anybody on the way can read them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.masking import is_secret
from app.settings import Settings, is_loopback

# Systems spoken to over TCP: the remedy where the connection has no TLS.
_OVER_TCP = {
    "asterisk-ami": "write tls = true",
    "freeswitch-esl": "lead it through a tunnel that begins on this machine",
    "mqtt": "write tls = true",
}
_NO_SECRETS = frozenset({"body"})  # masked when shown, though mostly a question


def readable_secrets(settings: Settings) -> Sequence[str]:
    """Return a sentence for each table of which a secret goes unencrypted to another machine, naming table and key."""
    named = [
        *((f"sources[{index}]", values) for index, values in enumerate(settings.sources)),
        *((f"senders[{index}]", values) for index, values in enumerate(settings.senders)),
        ("postfix_policy", settings.postfix_policy),
    ]
    return [said for place, values in named for said in readable_in(place, values)]


def readable_in(place: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield such sentences for one table; place: how they call it."""
    secrets = _secrets(values)
    for key, value in values.items():
        if key != "proxy" and isinstance(value, str) and value.lower().startswith("http://"):
            given = secrets or _secrets(dict(parse_qsl(urlsplit(value).query)))
            if given and not is_loopback(host := urlsplit(value).hostname or ""):
                yield _sentence(place, key, given, host, "write https://")
    kind, host = values.get("type"), str(values.get("host", "")).lower()
    remedy = _OVER_TCP.get(str(kind))
    if remedy and secrets and not is_loopback(host) and values.get("tls") is not True and not _is_digested(values):
        yield _sentence(place, "host", secrets, host, remedy)


def _secrets(values: Mapping[str, Any]) -> Sequence[str]:
    """Return under which keys there are secrets, or where they are said to be."""
    headers = values.get("headers")
    within = _secrets(headers) if isinstance(headers, dict) else ()
    names = [key for key, value in values.items() if isinstance(value, str) and _tells(key) and not _is_url(value)]
    return [*names, *(f"headers.{name}" for name in within)]


def _tells(key: str) -> bool:
    bare = key.removesuffix("_file").removesuffix("_env")
    return is_secret(bare) and bare not in _NO_SECRETS


def _is_url(value: str) -> bool:
    return value.lower().startswith(("http://", "https://"))


def _is_digested(values: Mapping[str, Any]) -> bool:
    """Whether only a digest of the secret is sent, as Asterisk can have it."""
    return values.get("type") == "asterisk-ami" and values.get("auth", "md5") == "md5"


def _sentence(place: str, key: str, secrets: Sequence[str], host: str, remedy: str) -> str:
    return f"{place}.{key}: anybody on the way to {host} can read {' and '.join(secrets)}; {remedy}"
