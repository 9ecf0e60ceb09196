"""Configuration as it may be shown: whatever is a secret, or may hold one, is left out. Pure."""

import re
from typing import Any

MASK = "***"
_SECRET = frozenset({"key", "body", "pass", "pwd"})  # whole words of a key's name; the others wherever they stand in it
_TELLING = re.compile("passw(or)?d|passphrase|secret|token|credential|api_?key|authorization|cookie", re.IGNORECASE)
_ALL_SECRET = frozenset({"headers"})  # tables whose every text is one
_TABLES = frozenset({"sources", "senders"})  # of which a text may hold any secret of theirs
_NAMES_ONE = ("_file", "_env")  # where a secret is, not what it is
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:[^/?#\s]*@)?(?P<rest>[^?#\s]*)(?P<query>[?#].*)?", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """Return whether a key's value is never shown: one of its words is password, token, key or the like."""
    if key.endswith(_NAMES_ONE):
        return False
    return bool(_TELLING.search(key)) or not _SECRET.isdisjoint(re.split(r"[^a-z0-9]+", key.lower()))


def masked(value: Any, key: str = "") -> Any:
    """Return a value of a configuration with the secrets in it masked, however deep; of URLs also user and query."""
    if is_secret(key) and not isinstance(value, bool | None):
        return MASK
    hidden = key.lower() in _ALL_SECRET
    if isinstance(value, dict):
        return {name: _hidden(each, name) if hidden else masked(each, name) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, key) for each in value]
    if not isinstance(value, str):
        return value
    return MASK if hidden or key in _TABLES else _masked_url(value)


def _hidden(value: Any, key: str) -> Any:
    return value if key.endswith(_NAMES_ONE) and isinstance(value, str) else MASK


def _masked_url(text: str) -> str:
    match = _URL.fullmatch(text)
    if match is None or "@" in text[match.end("rest") if match["query"] else match.start("rest") :]:
        scheme, separator, _ = text.partition("://")
        return f"{scheme}://{MASK}" if separator and "@" in text else text
    named = text[: match.start("rest")] != match["scheme"]
    return f"{match['scheme']}{MASK + '@' if named else ''}{match['rest']}{'?' + MASK if match['query'] else ''}"
