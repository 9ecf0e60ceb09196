"""Reads a [sources.mapping] table, with errors that name the key at fault."""

from collections.abc import Collection
from datetime import tzinfo
from zoneinfo import ZoneInfo

from app.core.floor.fields import LONGEST_WINDOW_SECONDS
from workers.sources.mapping.expression import Expression, expression
from workers.sources.mapping.rowmap import Mapped, RowMap
from workers.sources.mapping.units import COUNTS, FIELDS, INSTANTS, units_of
from workers.systems.table import Table

_COUNTED = ("offered", "answered", "abandoned", "answered_within_target", "wait_seconds_sum", "handle_seconds_sum")


def row_map(table: Table, source: str, *, columns: bool = False, named: bool = False) -> RowMap:
    """Return the mapping within a source's table. columns: rows are of a file, and fields are named by its header.

    named: who reads by it names the queue, as it is not in the rows.

    Raises Invalid naming the key.
    """
    mapping = table.table("mapping")
    keyed = False if columns or named else mapping.flag("queue_from_key", default=False)
    _one_of(mapping, keyed=keyed, named=named)
    found = RowMap(
        source=source,
        fields=_fields(mapping, columns=columns),
        rows=Expression("@", "rows") if columns or "rows" not in mapping.keys else expression(mapping, "rows"),
        keyed=keyed,
        queue=mapping.optional_name("queue"),
        queue_from=_expression(mapping, "queue_from", columns=columns),
        queues=table.texts("queues", ("*",)),
        channel=mapping.optional_name("channel"),
        channel_from=_expression(mapping, "channel_from", columns=columns),
        at=_expression(mapping, "observed_at_from", columns=columns),
        at_unit=mapping.choice("observed_at_unit", INSTANTS, "iso"),
        at_in_document=not columns and mapping.choice("observed_at_in", ("row", "document"), "row") == "document",
        history=columns or mapping.flag("history", default=False),
        window_seconds=window_of(mapping),
        zone=_zone(mapping),
    )
    counts_have_a_window(mapping, {each.name for each in found.fields}, found.window_seconds)
    return found


def columns_of(table: Table) -> tuple[str, ...]:
    """Return the columns that a sound mapping of a file names."""
    mapping = table.table("mapping")
    metrics = mapping.table("metrics")
    columns = (
        metrics.table(name).text("from") if metrics.is_table(name) else metrics.text(name) for name in metrics.keys
    )
    keys = ("queue_from", "channel_from", "observed_at_from")
    return (*(mapping.text(key) for key in keys if key in mapping.keys), *columns)


def _one_of(mapping: Table, *, keyed: bool, named: bool) -> None:
    given = [key for key in ("queue", "queue_from") if key in mapping.keys] + (["queue_from_key"] if keyed else [])
    if named and given:
        raise mapping.fault(given[0], "is there, and the queue is named by the source", "drop it")
    if not named and len(given) != 1:
        what = "and queue_from are missing" if not given else f"and {given[-1]} are both there"
        remedy = 'give one: queue = "orders" for a name, queue_from for an expression, or queue_from_key = true'
        raise mapping.fault(given[0] if given else "queue", what, remedy)
    if {"channel", "channel_from"} <= set(mapping.keys):
        raise mapping.fault("channel", "and channel_from are both there", "keep one")


def _expression(mapping: Table, key: str, *, columns: bool) -> Expression | None:
    return expression(mapping, key, column=columns) if key in mapping.keys else None


def _zone(mapping: Table) -> tzinfo | None:
    name = mapping.optional_text("time_zone")
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, impossible, or a folder of zones
        raise mapping.fault("time_zone", f"{name!r} is not known", "give an IANA name, as Europe/Berlin") from None


def window_of(mapping: Table) -> float | None:
    """Return the span that averages and counts are over, in seconds; None: not told. Raises Invalid."""
    if "window_seconds" not in mapping.keys:
        return None
    return mapping.number("window_seconds", None, 1, LONGEST_WINDOW_SECONDS)


def _fields(mapping: Table, *, columns: bool) -> tuple[Mapped, ...]:
    metrics = mapping.table("metrics")
    if not metrics.keys:
        raise mapping.fault("metrics", "is missing", 'give at least one, as backlog = "waiting"')
    for name in metrics.keys:
        if name not in FIELDS:
            raise metrics.fault(name, "is not a metric", f"known are {', '.join(FIELDS)}")
    return tuple(_mapped(metrics, name, columns=columns) for name in metrics.keys)


def _mapped(metrics: Table, name: str, *, columns: bool) -> Mapped:
    """Return one metric: `backlog = "waiting"`, or `backlog = { from = "waiting", unit = "count" }`."""
    units = units_of(name)
    if not metrics.is_table(name):
        return Mapped(name, expression(metrics, name, column=columns, label=f"metrics.{name}"), units[0])
    within = metrics.table(name)
    found = expression(within, "from", column=columns, label=f"metrics.{name}")
    return Mapped(name, found, within.choice("unit", units, units[0]))


def counts_have_a_window(mapping: Table, given: Collection[str], window_seconds: float | None) -> None:
    """Raise Invalid when a field is given that is worth nothing without another one."""
    for name in _COUNTED:
        if name in given and window_seconds is None:
            why = f"is missing, and metrics.{name} is counted over some span"
            raise mapping.fault("window_seconds", why, "say how many seconds that span has")
        if name in given and name not in COUNTS and "answered" not in given:
            raise mapping.fault(f"metrics.{name}", "needs metrics.answered", "map the number it is summed over, too")
