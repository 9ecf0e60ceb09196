"""Fourteen exact sums about contacts, carried in one integer.

Theory of operation: each field owns 80 bits, so adding two Counts adds all fields at once, exactly, and negating one
retracts it: Counts are the integers under +, with 0 as nothing. In between a field may go below zero; a total of
facts that hold never does. That makes an update or a step of a window one addition instead of fourteen.
"""

from enum import IntEnum
from typing import TypeAlias

_WIDTH = 80
_MASK = (1 << _WIDTH) - 1
_HALF = 1 << (_WIDTH - 1)

Counts: TypeAlias = int
NOTHING: Counts = 0


class Field(IntEnum):
    """What is summed; the value is the field's lowest bit.

    COHORT_* and OFFERED count in the second the contact was queued, whatever happened when. The rest count in the
    second they happened: ANSWERS and WAIT_MICROSECONDS at the answer, ABANDONS, ABANDON_WAIT_MICROSECONDS and
    ABANDONS_AT_ONCE (within 5 s; of all three short ones are left out) when the caller gave up, HANDLED and
    HANDLE_MICROSECONDS at the end of the handling.
    """

    OFFERED = 0 * _WIDTH
    COHORT_WAITING = 1 * _WIDTH
    COHORT_ANSWERED = 2 * _WIDTH
    COHORT_ANSWERED_IN_TARGET = 3 * _WIDTH
    COHORT_ABANDONED = 4 * _WIDTH
    COHORT_ABANDONED_IN_TARGET = 5 * _WIDTH
    COHORT_ABANDONED_SHORT = 6 * _WIDTH
    ANSWERS = 7 * _WIDTH
    WAIT_MICROSECONDS = 8 * _WIDTH
    ABANDONS = 9 * _WIDTH
    HANDLED = 10 * _WIDTH
    HANDLE_MICROSECONDS = 11 * _WIDTH
    ABANDON_WAIT_MICROSECONDS = 12 * _WIDTH
    ABANDONS_AT_ONCE = 13 * _WIDTH


def counts(**amounts: int) -> Counts:
    """Return Counts whose named fields (in lower case) hold the given amounts, the others 0."""
    return sum(amount << Field[name.upper()] for name, amount in amounts.items())


def amount(total: Counts, field: Field) -> int:
    """Return one field of a total in which no field is negative: any sum over facts that hold."""
    return (total >> field) & _MASK


def signed(difference: Counts) -> dict[Field, int]:
    """Return every field of any Counts, negative ones too: what a correction takes back."""
    fields = {}
    for field in Field:
        low = difference & _MASK
        fields[field] = low - (1 << _WIDTH) if low >= _HALF else low
        difference = (difference - fields[field]) >> _WIDTH
    return fields
