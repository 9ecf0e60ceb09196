"""Reads one [[sources]] or [[senders]] table of holdfire.toml, with errors that name the key at fault."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.core.floor.fields import name_fault
from app.errors import Invalid
from app.masking import is_secret


class Table:
    """The keys of one table. Each may be asked for once; `done` refuses those nobody asked for, in tables within, too.

    environ: where secrets named by a variable are looked up; None: the process's.
    """

    def __init__(self, place: str, values: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> None:
        self._place, self._values = place, values
        self._known: set[str] = set()
        self._environ = os.environ if environ is None else environ
        self._within: dict[str, Table] = {}

    @property
    def keys(self) -> Collection[str]:
        """The keys that are there."""
        return self._values.keys()

    def text(self, key: str, default: str | None = None) -> str:
        """Return a non-empty text. Without a default the key is required."""
        value = self._value(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, f"{value!r} is not text" if value is not None else "is missing", "give a text")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a non-empty text, None where the key is absent."""
        return self.text(key) if self._value(key, None) is not None else None

    def name(self, key: str, default: str | None = None) -> str:
        """Return a text that may name a source or a queue."""
        value = self.text(key, default)
        if fault := name_fault(value):
            raise self.fault(key, fault, "")
        return value

    def optional_name(self, key: str) -> str | None:
        """Return a text that may name a source, a queue or a channel, None where the key is absent."""
        return self.name(key) if self._value(key, None) is not None else None

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts, not an empty one."""
        value = self._value(key, default)
        if not isinstance(value, list | tuple) or not value or not all(isinstance(part, str) for part in value):
            raise self.fault(key, f"{value!r} is not a list of texts", 'write for example ["sales", "orders-*"]')
        return tuple(value)

    def seconds(self, key: str, default: float, least: float, most: float) -> float:
        """Return a number of seconds between least and most."""
        return self._number(key, default, least, most, "seconds")

    def number(self, key: str, default: float | None, least: float, most: float) -> float:
        """Return a number between least and most. Without a default the key is required."""
        return self._number(key, default, least, most, "a number")

    def whole(self, key: str, default: int | None, least: int, most: int) -> int:
        """Return a whole number between least and most. Without a default the key is required."""
        value = self._number(key, default, least, most, "a whole number")
        if not value.is_integer():
            raise self.fault(key, f"{value!r} is not allowed", f"give a whole number from {least} to {most}")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.fault(key, f"{value!r} is not allowed", "write true or false, without quotes")
        return value

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """Return one of the choices. Without a default the key is required."""
        value = self.text(key, default)
        if value not in choices:
            raise self.fault(key, f"{value!r} is not known", f"known are {', '.join(choices)}")
        return value

    def url(self, key: str, default: str | None = None, schemes: Collection[str] = ("https", "http")) -> str:
        """Return an absolute URL without credentials in it."""
        value = self.text(key, default)
        try:
            parts = urlsplit(value)
            sound = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and value.isprintable()
        except ValueError:
            sound = False
        if not sound or " " in value:
            raise self.fault(key, "is not a URL", f"write {' or '.join(schemes)}://host/path")
        if parts.username is not None or parts.password is not None:
            raise self.fault(key, "holds a user or a password", "give them in keys of their own")
        return value

    def table(self, key: str) -> "Table":
        """Return a table within this one, an empty one where the key is absent."""
        value = self._value(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, "is not a table", f"write [sources.{key}] and its keys below, or {{ ... }}")
        if key not in self._within:
            self._within[key] = Table(f"{self._place}.{key}", value, self._environ)
        return self._within[key]

    def is_table(self, key: str) -> bool:
        """Return whether a table stands under the key."""
        return isinstance(self._value(key, None), dict)

    def mapping(self, key: str) -> Mapping[str, str]:
        """Return a table of texts, {} where the key is absent."""
        within = self.table(key)
        return {name: within.text(name) for name in within.keys}

    def secret(self, key: str) -> SecretStr:
        """Return a secret: the value of `key`, or of the file that `key`_file names, or of the variable `key`_env."""
        found = self.optional_secret(key)
        if found is None:
            raise self.fault(key, "is missing", f"give it as {key}_file, {key}_env or {key}")
        return found

    def optional_secret(self, key: str) -> SecretStr | None:
        """Return a secret as `secret` does, None where none of its three keys is there."""
        if not is_secret(key) and not self._place.endswith(".headers"):
            raise TypeError(f"app.masking would show {key!r}: name the key so that it is taken for a secret")
        forms = [form for form in (f"{key}_file", f"{key}_env", key) if self._value(form, None) is not None]
        if len(forms) > 1:
            raise self.fault(forms[0], f"and {forms[1]} are both there", "keep one")
        if not forms:
            return None
        value = self._value(forms[0], None)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(forms[0], "is not text", "give a text")
        secret = {f"{key}_file": self._in_file, f"{key}_env": self._in_environment, key: _itself}[forms[0]](key, value)
        if not secret or not secret.isprintable():
            raise self.fault(forms[0], "gives an empty secret, or one with control characters", "look what is there")
        return SecretStr(secret)

    def secrets(self, key: str) -> Mapping[str, SecretStr]:
        """Return a table of secrets by name, each in any of the three forms; {} where the key is absent."""
        within = self.table(key)
        names = dict.fromkeys(name.removesuffix("_file").removesuffix("_env") for name in within.keys)
        return {name: within.secret(name) for name in names}

    def done(self) -> None:
        """Raise Invalid when the table, or one within it, has a key that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                raise self.fault(key, "is not known", f"known are {', '.join(sorted(self._known))}")
        for within in self._within.values():
            within.done()

    def fault(self, key: str, what: str, remedy: str) -> Invalid:
        """Return the error about one key."""
        return Invalid(f"{self._place}.{key}: {what}" + (f"; {remedy}" if remedy else ""))

    def _number(self, key: str, default: float | None, least: float, most: float, what: str) -> float:
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            said = "is missing" if value is None else f"{value!r} is not allowed"
            raise self.fault(key, said, f"give {what} from {least:g} to {most:g}")
        return float(value)

    def _in_file(self, key: str, path: str) -> str:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as fault:
            raise self.fault(f"{key}_file", f"{path} cannot be read ({fault.strerror})", "") from None
        except UnicodeDecodeError:
            raise self.fault(f"{key}_file", f"{path} is not UTF-8 text", "") from None

    def _in_environment(self, key: str, variable: str) -> str:
        if variable not in self._environ:
            raise self.fault(f"{key}_env", f"the variable {variable} is not set", "set it where holdfire is started")
        return self._environ[variable].strip()

    def _value(self, key: str, default: Any) -> Any:
        self._known.add(key)
        return self._values.get(key, default)


def _itself(_: str, value: str) -> str:
    return value
