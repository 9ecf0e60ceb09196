"""NDJSON of observations or contact events, as POST /api/v1/observations and /contacts take it. Pure."""

from datetime import UTC, datetime
from typing import Annotated, Any, get_type_hints

import msgspec

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.ports.stream import Payload
from workers.sources.tally import Tally

DEFAULT_SOURCE = "replay"

_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


def _struct(payload: type[Any], source: str) -> type[msgspec.Struct]:
    """Return a struct with the payload's own fields, so that a new field needs no second line here."""
    hints: dict[str, Any] = {
        name: _Instant if hint is datetime else hint for name, hint in get_type_hints(payload).items()
    }
    defaults = {**payload._field_defaults, "source": source}
    required = [(name, hints[name]) for name in payload._fields if name not in defaults]
    optional = [(name, hints[name], defaults[name]) for name in payload._fields if name in defaults]
    return msgspec.defstruct(payload.__name__, [*required, *optional], forbid_unknown_fields=True, gc=False)


class Translator:
    """Turns each line into one payload of the kind given; malformed lines and blank ones are counted and left out.

    source: for lines that name none.
    """

    def __init__(self, payload: type[Observation | ContactEvent], source: str = DEFAULT_SOURCE) -> None:
        self.tally = Tally()
        self._payload: type[Observation | ContactEvent] = payload
        self._instant = "observed_at" if payload is Observation else "at"
        self._decoder = msgspec.json.Decoder(_struct(payload, source))

    def line(self, text: str) -> list[Payload]:
        """Return what one line says; [] when it is blank or malformed."""
        self.tally.lines += 1
        if not text.strip():
            self.tally.skip("blank")
            return []
        try:
            read = msgspec.structs.asdict(self._decoder.decode(text))
            read[self._instant] = read[self._instant].astimezone(UTC)
        except (msgspec.MsgspecError, UnicodeError, OverflowError) as fault:
            self.tally.fault(str(fault))
            return []
        return [self._payload(**read)]
