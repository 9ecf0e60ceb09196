"""Strict reading of one JSON object: every fault is noted with its place, and none ends the reading.

A member that is absent gives its default; a member that is there and wrong gives its default too, and a Problem.
So a reader runs to the end over any input, and whoever saves a document sees all its faults at once.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeVar

from app.core.problem import Problem

SHOWN_CHARACTERS = 60
LARGEST = 1e9

Default = TypeVar("Default", bound=float | None)


def pointer_to(parent: str, member: str | int) -> str:
    """Return the RFC 6901 pointer of a member (name or index) of what `parent` points at."""
    return f"{parent}/{str(member).replace('~', '~0').replace('/', '~1')}"


def shown(value: object) -> str:
    """Return a value as JSON for an error sentence, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def listed(names: Collection[str]) -> str:
    """Return names for a sentence: "a, b or c"."""
    ordered = list(names)
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} or {ordered[-1]}"


@dataclass(slots=True)
class Fields:
    """One JSON object at `pointer`. Read its members by name, then call `finish`. Faults go to `problems`."""

    value: Mapping[str, object]
    pointer: str
    problems: list[Problem]
    known: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, value: object, pointer: str, problems: list[Problem]) -> "Fields | None":
        """Return the reader of an object; None, and a problem noted, when the value is something else."""
        if isinstance(value, Mapping):
            return cls(value, pointer, problems)
        problems.append(Problem(pointer, f"{shown(value)} must be a JSON object"))
        return None

    def at(self, *path: str | int) -> str:
        """Return the pointer of a member, or of something inside it."""
        return reduce(pointer_to, path, self.pointer)

    def refuse(self, detail: str, *path: str | int) -> None:
        """Note a fault of a member, or of something inside it."""
        self.problems.append(Problem(self.at(*path), detail))

    def has(self, member: str) -> bool:
        """Return whether the member is there, wrong or right; it counts as known from now on."""
        self.known.append(member)
        return member in self.value

    def get(self, member: str) -> object:
        """Return the member as it stands; only for one that is there."""
        return self.value[member]

    def number(
        self, member: str, default: Default, low: float, high: float = LARGEST, *, unit: str = ""
    ) -> float | Default:
        """Return a finite number in low..high; the default when it is absent or refused."""
        if not self.has(member):
            return default
        value = self.value[member]
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self.refuse(f"{shown(value)} must be a number from {low:g} to {high:.15g}{unit and ' ' + unit}", member)
        return default

    def whole(self, member: str, default: Default, low: int, high: int = int(LARGEST)) -> int | Default:
        """Return a whole number in low..high (10.0 counts as 10); the default when it is absent or refused."""
        if not self.has(member):
            return default
        value = self.value[member]
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            whole = math.floor(value)
            if whole == value:
                return whole
        self.refuse(f"{shown(value)} must be a whole number from {low} to {high}", member)
        return default

    def choice(self, member: str, default: str, allowed: Collection[str]) -> str:
        """Return one of the allowed words; the default when the member is absent or refused."""
        if not self.has(member):
            return default
        value = self.value[member]
        if isinstance(value, str) and value in allowed:
            return value
        self.refuse(f"{shown(value)} must be {listed([shown(word) for word in allowed])}", member)
        return default

    def items(self, member: str, *, required: str = "", empty: str) -> list[object]:
        """Return a list's items; [] and a problem for an empty list (`empty` says what to do) or no list at all.

        required: the sentence for an absent member; with none the member is optional.
        """
        if not self.has(member):
            if required:
                self.refuse(required, member)
            return []
        value = self.value[member]
        if not isinstance(value, list | tuple):
            self.refuse(f"{shown(value)} must be a list", member)
            return []
        if not value:
            self.refuse(empty, member)
        return list(value)

    def finish(self) -> None:
        """Note every member that nobody asked for."""
        for member in self.value:
            if member not in self.known:
                known = ", ".join(sorted(set(self.known)))
                self.refuse(f"unknown field {shown(member)}; known are {known}", member)
