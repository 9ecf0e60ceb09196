"""The inputs of a row of truth, however they are spelled: units in the names ("aht_s", "lam_per_min") or the values."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SECONDS = {
    unit: seconds
    for seconds, units in {
        1e-3: "ms",
        1.0: "s sec secs second seconds",
        60.0: "min mins minute minutes",
        1_800.0: "half_hour",
        3_600.0: "h hr hrs hour hours",
        86_400.0: "d day days",
    }.items()
    for unit in units.split()
}
UNITS = "|".join(SECONDS)
ENDLESS = {"", "inf", "infinite", "infinity", "never", "none", "null", "nobody"}
ALIASES = {
    "lam": "lambda arrival_rate arrivals offered_rate",
    "mu": "service_rate handled",
    "aht": "mean_service service_time handle service handle_time mean_handle mean_handle_time mean_service_time",
    "theta": "nu gamma abandonment_rate patience_rate abandon_rate impatience_rate",
    "patience": "mean_patience avg_patience average_patience patience_mean",
    "agents": "servers n c m positions lines trunks channels",
    "erlangs": "erlang load intensity traffic a offered_load offered_erlangs traffic_intensity",
    "tau": "target_wait awt sla threshold target_time answer_within acceptable_wait sl_threshold max_wait",
    "target": "target_sl service_level target_service_level sl_target sl",
    "max_asa": "asa target_asa asa_target",
    "max_occupancy": "target_occupancy max_utilisation max_utilization",
    "max_abandonment": "max_abandon max_p_abandon target_abandonment target_abandon abandonment_target abandon_target",
    "max_blocking": "blocking target_blocking blocking_target gos grade_of_service",
    "calls": "transactions contacts volume calls_per_interval",
    "interval": "period",
    "busy": "busy0 initial_busy",
    "wait": "wait0 waiting waiting0 queue0 initial_waiting initial_queue",
    "day": "horizon length",
    "t": "at time",
    "k0": "n0 number0 in_system0 initial_in_system",
}
CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases.split()}
KNOWN = {*ALIASES, "shrinkage", "lam_segments", "agents_segments", "start"}
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

    @property
    def unread(self) -> list[str]:
        """What is given and means nothing here."""
        return sorted(set(self.values) - KNOWN)

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
        base, factor = CANONICAL.get(found[1], found[1]), 1 / SECONDS[found[2]]
        base = "lam" if base == "calls" else base
    elif found := re.fullmatch(rf"(.+?)_({UNITS})", base):
        base, factor = CANONICAL.get(found[1], found[1]), SECONDS[found[2]]
        base = "tau" if base == "target" else base  # the seconds of a target are how soon, not how many
    return CANONICAL.get(base, base), _scaled(_number(value) if isinstance(value, str) else value, factor)


def _number(text: str) -> object:
    """Return the number that a text holds, with its unit; None for a time without end; the text where it is neither."""
    if text.strip().lower() in ENDLESS:
        return None
    found = re.fullmatch(rf"\s*([\d.]+(?:e-?\d+)?)\s*({UNITS}|%)?\s*", text, re.IGNORECASE)
    if not found:
        return text
    return float(found[1]) * {"%": 0.01, **SECONDS}[(found[2] or "s").lower()]


def _scaled(value: object, factor: float) -> object:
    if isinstance(value, list) and all(isinstance(segment, list) for segment in value):
        return [[*segment[:-1], segment[-1] * factor] for segment in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * factor
    return value
