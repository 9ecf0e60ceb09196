"""JMESPath expressions (jmespath.org), checked when they are read and never quoting what they are applied to. Pure."""

import json
from collections.abc import Iterator
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from workers.systems.faults import TranslateError
from workers.systems.table import Table

LONGEST = 500
_FUNCTIONS = Functions.FUNCTION_TABLE


class Expression:
    """An expression and the key of the configuration that it stands under. Raises ValueError when it is none."""

    __slots__ = ("_compiled", "_member", "key", "text")

    def __init__(self, text: str, key: str) -> None:
        self.text, self.key = text, key
        if len(text) > LONGEST:
            raise ValueError(f"the expression has {len(text)} characters; at most {LONGEST} are allowed")
        try:
            self._compiled = jmespath.compile(text)
            self._member = _plain_member(self._compiled.parsed)
        except (JMESPathError, ValueError, RecursionError) as fault:
            raise ValueError(_why(text, fault)) from None
        for name in _called(self._compiled.parsed):
            if name not in _FUNCTIONS:
                raise ValueError(f"there is no function {name}(); JMESPath has {', '.join(sorted(_FUNCTIONS))}")

    def of(self, value: Any) -> Any:
        """Return what the expression gives of a value, None for nothing. Raises TranslateError when it fails on it."""
        if self._member is not None:
            return value.get(self._member) if isinstance(value, dict) else None
        try:
            return self._compiled.search(value)
        except (JMESPathError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            raise TranslateError(f"{self.key}: the expression fails: a function gets what it cannot take") from None


def expression(table: Table, key: str, *, column: bool = False, label: str = "") -> Expression:
    """Return the expression under a key. column: the text is the name of a field as it stands. Raises Invalid.

    label: what faults call it, where the key alone does not say enough.
    """
    text = table.text(key)
    try:
        return Expression(json.dumps(text) if column else text, label or key)
    except ValueError as fault:
        raise table.fault(key, str(fault), "") from None


def _plain_member(node: Any) -> str | None:
    """Return the member that an expression names and nothing else, as most do: its value is had ten times as fast."""
    return node["value"] if node["type"] == "field" else None


def _called(node: Any) -> Iterator[str]:
    """Yield the names of all functions in a parsed expression."""
    if isinstance(node, dict):
        if node.get("type") == "function_expression":
            yield str(node["value"])
        for child in node.get("children", ()):
            yield from _called(child)


def _why(text: str, fault: Exception) -> str:
    position = getattr(fault, "lex_position", None)
    if position is None or position >= len(text):
        return f"{text!r} is not a JMESPath expression: it ends too early"
    return f"{text!r} is not a JMESPath expression: it cannot be read from character {position + 1} on"
