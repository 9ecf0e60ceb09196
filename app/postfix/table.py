"""Reads the table [postfix_policy] of holdfire.toml, with errors that name the key at fault."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.errors import Invalid
from app.postfix.lane import UNREACHABLE_SECONDS
from app.postfix.protocol import text_fault
from app.postfix.rules import Client, Rule, Terms
from app.settings import is_loopback
from workers.systems.table import Table

DEFAULT_LISTEN = "127.0.0.1:10040"
DEFAULT_TEXT = "contact center busy, retry later"
DEFAULT_URL = "http://127.0.0.1:8000"
UNIX = "unix:"
LONGEST_PATH = 100  # in bytes; the system's own limit is a little higher
MOST_WAVE, MOST_PER_MINUTE = 1_000_000, 10_000_000
DAY_SECONDS = 86_400


class OnUnreachable(StrEnum):
    """What bulk mail is told while nothing answers where holdfire should."""

    DEFER = "defer"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a socket file, or a loopback host and port (0: one that the system picks)."""

    path: Path | None
    host: str = ""
    port: int = 0
    mode: int = 0o660

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{UNIX}{self.path}" if self.path else f"inet:{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """The whole table. url and api_key: where holdfire is and what it is asked with.

    unreachable_seconds: for how long nobody has to be there before on_unreachable = pass lets mail pass.
    answer_seconds: the longest that Postfix waits for an answer. ask_seconds: how often a gate that holds is asked at
    least, while there is mail for it. connections: how many Postfix may have at a time.
    """

    listen: Address
    rules: tuple[Rule, ...]
    url: str = DEFAULT_URL
    api_key: SecretStr | None = None
    on_unreachable: OnUnreachable = OnUnreachable.DEFER
    unreachable_seconds: float = UNREACHABLE_SECONDS
    defer_text: str = DEFAULT_TEXT
    answer_seconds: float = 5.0
    ask_seconds: float = 30.0
    connections: int = 500


def policy_table(values: Mapping[str, Any]) -> PolicyTable:
    """Return what the table says. Raises Invalid naming the key at fault."""
    table = Table("postfix_policy", {key: value for key, value in values.items() if key != "rules"})
    read = PolicyTable(
        listen=_address(table),
        rules=_rules(values.get("rules")),
        url=table.url("url", DEFAULT_URL),
        api_key=table.optional_secret("api_key"),
        on_unreachable=OnUnreachable(table.choice("on_unreachable", list(OnUnreachable), OnUnreachable.DEFER)),
        unreachable_seconds=table.seconds("unreachable_seconds", UNREACHABLE_SECONDS, 0, DAY_SECONDS),
        defer_text=_text(table),
        answer_seconds=table.seconds("answer_seconds", 5, 0.5, 30),
        ask_seconds=table.seconds("ask_seconds", 30, 1, 300),
        connections=table.whole("connections", 500, 1, 10_000),
    )
    table.done()
    return read


def _address(table: Table) -> Address:
    listen = table.text("listen", DEFAULT_LISTEN)
    mode = _mode(table)
    if listen.startswith(UNIX):
        path = listen.removeprefix(UNIX)
        if not path.startswith("/") or len(path.encode()) > LONGEST_PATH:
            raise table.fault("listen", f"{listen!r} is no absolute path of at most {LONGEST_PATH} bytes", "")
        return Address(Path(path), mode=mode)
    host, _, port = listen.removeprefix("inet:").rpartition(":")
    if not is_loopback(host.strip("[]")) or not (port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        remedy = f"write a loopback address and a port, like {DEFAULT_LISTEN}, or unix: and an absolute path"
        raise table.fault("listen", f"{listen!r} cannot be listened on", remedy)
    return Address(None, host.strip("[]"), int(port))


def _mode(table: Table) -> int:
    text = table.text("socket_mode", "660")
    if not re.fullmatch("0?[0-7]{3}", text):
        raise table.fault("socket_mode", f"{text!r} is not allowed", 'write what chmod takes, like "660"')
    return int(text, 8)


def _text(table: Table) -> str:
    text = table.text("defer_text", DEFAULT_TEXT)
    if fault := text_fault(text):
        raise table.fault("defer_text", fault, "")
    return text


# --- rules ------------------------------------------------------------------------------------------------------------


def _rules(values: object) -> tuple[Rule, ...]:
    if not isinstance(values, list | tuple) or not values:
        raise Invalid(
            "postfix_policy.rules: is missing; write a [[postfix_policy.rules]] table for each kind of bulk mail"
        )
    rules = tuple(_rule(f"postfix_policy.rules[{index}]", each) for index, each in enumerate(values))
    _check_names(rules)
    for index, rule in enumerate(rules[:-1]):
        if rule.fits_all:
            raise Invalid(
                f"postfix_policy.rules[{index}]: {rule.name!r} has no condition and fits every message, so no rule "
                "below it is ever looked at; give it a condition or make it the last"
            )
    return rules


def _rule(place: str, values: object) -> Rule:
    if not isinstance(values, Mapping):
        raise Invalid(f"{place}: is not a table; write it as [[postfix_policy.rules]]")
    table = Table(place, values)
    rule = Rule(
        name=table.name("name"),
        terms=_terms(table),
        senders=_globs(table, "sender"),
        sasl_users=_globs(table, "sasl_user"),
        clients=tuple(_client(table, text) for text in _globs(table, "client")),
        contexts=_globs(table, "context"),
        least_recipients=table.whole("recipients_at_least", 0, 0, MOST_WAVE),
    )
    table.done()
    return rule


def _terms(table: Table) -> Terms | None:
    """Return how a bulk rule's mail passes. What only bulk mail has is not known in a transactional rule."""
    if table.choice("kind", ("bulk", "transactional")) == "transactional":
        return None
    per_minute = table.whole("per_minute", 0, 0, MOST_PER_MINUTE)
    return Terms(
        gate=table.name("gate", "default"),
        campaign=table.optional_name("campaign"),
        wave=table.whole("wave", 500, 1, MOST_WAVE),
        wave_gap_seconds=table.seconds("wave_gap_seconds", 60, 0, DAY_SECONDS),
        per_minute=per_minute or None,
    )


def _globs(table: Table, key: str) -> tuple[str, ...]:
    if key not in table.keys:
        return ()
    globs = table.texts(key, ())
    for glob in globs:
        if not glob.strip() or glob != glob.strip():
            raise table.fault(key, f"{glob!r} is empty, or has a space at an end", "write what it should be like")
    return globs


def _client(table: Table, text: str) -> Client:
    """Return a network where the text is an address or has a /, else the glob of a host name."""
    if not set(text) <= set("0123456789abcdefABCDEF.:/"):
        return text
    try:
        return ip_network(text)
    except ValueError as fault:
        if "/" not in text and ":" not in text and not text.replace(".", "").isdecimal():
            return text
        raise table.fault("client", f"{text!r} is no network: {fault}", "write for example 10.1.0.0/16") from None


def _check_names(rules: Sequence[Rule]) -> None:
    names = [rule.name for rule in rules]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise Invalid(f"postfix_policy.rules[{index}].name: {name!r} is the name of an earlier rule, too")
