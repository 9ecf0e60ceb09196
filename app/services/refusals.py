"""What was refused of sources, as it may be kept: where, why, and the value only where that is a number or a time.

Whatever else stands in a refused item may be a caller's name or number, which nobody here may keep: such a value is cut
out of the reason, too. In memory, the last few of each source.
"""

import math
import re
from collections import deque
from collections.abc import Iterable
from datetime import datetime

from app.core.floor.contact import ContactEvent
from app.core.floor.fields import shown
from app.core.floor.observation import Observation
from app.core.problem import Problem
from app.ports.sources import KEPT_REFUSALS, Refusal

LONGEST = 300
_FIELDS = frozenset({*Observation._fields, *ContactEvent._fields})
_TEXTS = frozenset({*ContactEvent._fields} - {"at"})
_PLAIN_FIELD = re.compile(r"[A-Za-z][A-Za-z_.-]{0,39}")
# Of texts in fields of numbers and times only those are shown that are one, or nearly: too short for a telephone's.
_NUMBER = r"[+-]?\d{1,6}([.,]\d{1,6})? ?%?"
_TIME = r"\d{4}-\d\d-\d\d([T ][\d:.]{4,15} ?(Z|[+-]\d\d:?\d\d)?)?"
_LIKE_A_TELEPHONE = 10_000_000  # from here on a number has the length of a caller's
_MEASURE = re.compile(f"{_NUMBER}|{_TIME}", re.ASCII)


class Faulty:
    """What one source sent that could not be taken: how many items, and the last of their faults with the values."""

    __slots__ = ("count", "faults")

    def __init__(self) -> None:
        self.count = 0
        self.faults: deque[tuple[Problem, object]] = deque(maxlen=KEPT_REFUSALS)

    def add(self, faults: Iterable[tuple[Problem, object]]) -> None:
        """Count one item more, with the value at each fault's pointer."""
        self.count += 1
        self.faults.extend(faults)


def refusal(problem: Problem, value: object, at: datetime) -> Refusal:
    """Return a fault as it may be kept. value: what stood at the fault's pointer, None for nothing."""
    field = problem.pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")
    if field and field not in _FIELDS and not _PLAIN_FIELD.fullmatch(field):
        detail = problem.detail.replace(shown(field), "a field").replace(field, "a field")
        return Refusal(at, "/…", detail[:LONGEST])
    if _is_measure(field, value):
        text = value.isoformat() if isinstance(value, datetime) else shown(value)
        return Refusal(at, problem.pointer, problem.detail[:LONGEST], text)
    detail = problem.detail
    if isinstance(value, str):
        detail = detail.replace(shown(value), "the text")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        detail = detail.replace(shown(value), "the number", 1)
    return Refusal(at, problem.pointer, detail[:LONGEST])


def _is_measure(field: str, value: object) -> bool:
    """Return whether a value is a number or a time, in a field that is for one."""
    if field in _TEXTS or field not in _FIELDS or isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return abs(value) < _LIKE_A_TELEPHONE or (isinstance(value, float) and not math.isfinite(value))
    return isinstance(value, datetime) or (isinstance(value, str) and bool(_MEASURE.fullmatch(value)))
