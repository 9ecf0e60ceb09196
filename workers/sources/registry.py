"""The contact centers holdfire can follow: one folder and one line each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.errors import Invalid
from workers.sources.queue_log import worker as queue_log
from workers.sources.table import Table
from workers.sources.worker import Factory

SOURCES: Mapping[str, Callable[[Table, str], Factory]] = {
    "queue-log": queue_log.configured,
}


def configured(tables: Sequence[Mapping[str, Any]]) -> list[Factory]:
    """Return one factory per [[sources]] table of holdfire.toml. Raises Invalid naming the table and key at fault."""
    factories = []
    names: dict[str, str] = {}
    for index, values in enumerate(tables):
        place = f"sources[{index}]"
        table = Table(place, values)
        kind = table.text("type")
        if kind not in SOURCES:
            raise table.fault("type", f"{kind!r} is not a kind of source", f"known are {', '.join(sorted(SOURCES))}")
        name = table.name("name", kind.replace("-", "_"))
        if name in names:
            raise Invalid(f"{place}.name: {name!r} is the name of {names[name]} too; each source needs its own")
        names[name] = place
        factories.append(SOURCES[kind](table, name))
        table.done()
    return factories
