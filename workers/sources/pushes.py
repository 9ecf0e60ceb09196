"""What takes what the configured sources' systems push."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.ports.pushes import PushReader
from app.services.ingest import Ingest
from app.services.pushes import Pushes
from workers.sources import registry
from workers.systems.table import Table


def taken_by(tables: Sequence[Mapping[str, Any]], ingest: Ingest) -> Pushes:
    """Return what takes the pushes for these [[sources]]. Raises Invalid."""
    return Pushes(readers(tables), tuple(registry.configured(tables)), ingest)


def readers(tables: Sequence[Mapping[str, Any]]) -> Mapping[str, PushReader]:
    """Return the readers of those [[sources]] whose systems may push, by the source's name. Raises Invalid."""
    found: dict[str, PushReader] = {}
    for name, values in zip(registry.configured(tables), tables, strict=True):
        make = registry.PUSHES.get(values["type"])
        reader = make(Table("sources", values), name) if make is not None else None
        if reader is not None:
            found[name] = reader
    return found
