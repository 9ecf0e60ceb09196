"""Reads one [[sources]] table of holdfire.toml, with errors that name the key at fault."""

from collections.abc import Mapping
from typing import Any

from app.core.floor.fields import name_fault
from app.errors import Invalid


class Table:
    """The keys of one table. Each may be asked for once; `done` refuses those nobody asked for."""

    def __init__(self, place: str, values: Mapping[str, Any]) -> None:
        self._place, self._values, self._known = place, values, {"type"}

    def text(self, key: str, default: str | None = None) -> str:
        """Return a non-empty text. Without a default the key is required."""
        value = self._value(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, f"{value!r} is not text" if value is not None else "is missing", "give a text")
        return value

    def name(self, key: str, default: str) -> str:
        """Return a text that may name a source or a queue."""
        value = self.text(key, default)
        if fault := name_fault(value):
            raise self.fault(key, fault, "")
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts, not an empty one."""
        value = self._value(key, default)
        if not isinstance(value, list | tuple) or not value or not all(isinstance(part, str) for part in value):
            raise self.fault(key, f"{value!r} is not a list of texts", 'write for example ["sales", "orders-*"]')
        return tuple(value)

    def seconds(self, key: str, default: float, least: float, most: float) -> float:
        """Return a number of seconds between least and most."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.fault(key, f"{value!r} is not allowed", f"give seconds from {least:g} to {most:g}")
        return float(value)

    def done(self) -> None:
        """Raise Invalid when the table has a key that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                raise self.fault(key, "is not known", f"known are {', '.join(sorted(self._known))}")

    def fault(self, key: str, what: str, remedy: str) -> Invalid:
        """Return the error about one key."""
        return Invalid(f"{self._place}.{key}: {what}" + (f"; {remedy}" if remedy else ""))

    def _value(self, key: str, default: Any) -> Any:
        self._known.add(key)
        return self._values.get(key, default)
