"""The inputs of a row of truth, however they are spelled: units in the names ("aht_s", "lam_per_min") or the values."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3_600.0, "hour": 3_600.0, "d": 86_400.0, "day": 86_400.0}
UNITS = "|".join(SECONDS)
ALIASES = {
    "lam": ("lambda", "arrival_rate", "arrivals"),
    "mu": ("service_rate", "handled"),
    "aht": ("mean_service", "service_time", "handle", "service"),
    "theta": ("nu", "gamma", "abandonment_rate", "patience_rate"),
    "patience": ("mean_patience",),
    "agents": ("servers", "n", "c", "positions"),
    "erlangs": ("load", "intensity", "traffic", "a"),
    "tau": ("target_wait", "awt", "sla", "threshold"),
    "target": ("target_sl", "service_level", "target_service_level", "sl_target", "sl"),
    "max_asa": ("asa", "target_asa", "asa_target"),
    "max_blocking": ("blocking", "target_blocking"),
    "calls": ("transactions", "contacts"),
    "interval": ("period",),
    "busy": ("busy0",),
    "wait": ("wait0", "waiting", "waiting0", "queue0"),
    "day": ("horizon", "length"),
    "k0": ("n0", "number0", "in_system0"),
}
CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
Segments = list[tuple[float, float, float]]


class UnknownInput(ValueError):
    """An input is missing, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs in seconds where they have units, else in whatever unit of time they share."""

    values: Mapping[str, object]

    @classmethod
    def parse(cls, text: str) -> "Inputs":
        """Return the inputs that a JSON object describes. Raises UnknownInput."""
        try:
            document = json.loads(text)
        except ValueError as fault:
            raise UnknownInput(f"{text!r} is no JSON: {fault}") from fault
        if not isinstance(document, dict):
            raise UnknownInput(f"{text!r} is no JSON object")
        return cls(dict(_read(name, value) for name, value in document.items()))

    def number(self, name: str) -> float:
        """Return one input. Raises UnknownInput where it is not there."""
        value = self.optional(name)
        if value is None:
            raise UnknownInput(f"{name} is missing; the inputs are {', '.join(self.values)}")
        return value

    def optional(self, name: str) -> float | None:
        """Return one input; None where it is not there, or null."""
        value = self.values.get(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        raise UnknownInput(f"{name}={value!r} is no number")

    def load(self) -> float:
        """Return the offered load in erlangs."""
        given = self.optional("erlangs")
        return self.arrivals() / self.handled() if given is None else given

    def arrivals(self) -> float:
        """Return contacts per unit of time."""
        if (rate := self.optional("lam")) is not None:
            return rate
        if (calls := self.optional("calls")) is not None:
            return calls / self.number("interval")
        return self.number("erlangs") * self.handled()

    def handled(self) -> float:
        """Return contacts that one agent handles per unit of time; with a load alone, that of one handle time."""
        if (rate := self.optional("mu")) is not None:
            return rate
        return 1.0 if "aht" not in self.values and "erlangs" in self.values else 1 / self.number("aht")

    def given_up(self) -> float:
        """Return how often one waiting contact gives up per unit of time; 0 where nobody does."""
        if (rate := self.optional("theta")) is not None:
            return rate
        patience = self.optional("patience")
        return 0.0 if patience is None else 1 / patience

    def patience(self) -> float | None:
        """Return the mean patience; None where nobody gives up."""
        return 1 / self.given_up() if self.given_up() else None

    def agents(self) -> float:
        """Return the head-count, which may be a fraction."""
        return self.number("agents")

    def busy(self) -> int:
        """Return how many are busy at the start; by default nobody is there."""
        return int(self.optional("busy") or 0)

    def starts(self) -> int | None:
        """Return how many are in the system at the start, where that is given as one number."""
        value = self.optional("k0")
        return None if value is None else int(value)

    def waiting(self) -> int:
        """Return how many wait at the start."""
        return int(self.optional("wait") or 0)

    def target(self) -> float:
        """Return the target of the service level."""
        return self.number("tau")

    def segments(self, name: str, constant: Callable[[], float], end: float) -> Segments:
        """Return (from, to, value) in seconds: as given under <name>_segments, or one constant."""
        given = self.values.get(f"{name}_segments")
        if given is None:
            return [(0.0, end + 1.0, constant())]
        if not isinstance(given, list):
            raise UnknownInput(f"{name}_segments={given!r} is no list")
        return [(float(first), float(last), float(value)) for first, last, value in given]


def _read(name: str, value: object) -> tuple[str, object]:
    """Return an input's canonical name, and its value in seconds or per second where its name or text has a unit."""
    base, factor = name.strip().lower(), 1.0
    if found := re.fullmatch(rf"(.+?)_per_({UNITS})", base):
        base, factor = found[1], 1 / SECONDS[found[2]]
    elif found := re.fullmatch(rf"(.+?)_({UNITS})", base):
        base, factor = found[1], SECONDS[found[2]]
    if isinstance(value, str) and (
        found := re.fullmatch(rf"\s*([\d.]+(?:e-?\d+)?)\s*({UNITS})?\s*", value, re.IGNORECASE)
    ):
        value = float(found[1]) * (SECONDS[found[2].lower()] if found[2] else 1.0)
    return CANONICAL.get(base, base), _scaled(value, factor)


def _scaled(value: object, factor: float) -> object:
    if isinstance(value, list):
        return [[*segment[:-1], segment[-1] * factor] for segment in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * factor
    return value
