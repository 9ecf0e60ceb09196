"""SOAP as Five9's supervisor service speaks it: questions written, answers read. Pure.

An answer is read by hand from expat's events: no document type, hence no entities and nothing external; bounded in
depth and number of elements, as its bytes are by who fetched them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from workers.systems.faults import SourceFault, TranslateError

MOST_DEPTH = 20
MOST_ELEMENTS = 200_000
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:sup="http://service.supervisor.ws.five9.com/">'
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)


class SoapFault(SourceFault):
    """The service answered with a fault. What it said of it is not kept."""


@dataclass
class Statistics:
    """A table of texts, and the instant it is of, in text: milliseconds since 1970."""

    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    timestamp: str = ""


def session_question(*, force: bool) -> bytes:
    """Return the question that opens a session. force: another session of this user is ended."""
    settings = (
        f"<forceLogoutSession>{str(force).lower()}</forceLogoutSession><rollingPeriod>Minutes30</rollingPeriod>"
        "<shiftStart>0</shiftStart><statisticsRange>CurrentDay</statisticsRange><timeZone>0</timeZone>"
    )
    body = f"<sup:setSessionParameters><viewSettings>{settings}</viewSettings></sup:setSessionParameters>"
    return _ENVELOPE.format(body=body).encode()


def statistics_question(kind: str, columns: Sequence[str]) -> bytes:
    """Return the question for these columns of one kind of statistics."""
    data = "".join(f"<data>{escape(column)}</data>" for column in columns)
    body = (
        f"<sup:getStatistics><statisticType>{escape(kind)}</statisticType>"
        f"<columnNames><values>{data}</values></columnNames></sup:getStatistics>"
    )
    return _ENVELOPE.format(body=body).encode()


def read(body: bytes) -> Statistics:
    """Return the table in an answer, an empty one where it has none. Raises SoapFault and TranslateError."""
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)  # noqa: FBT003 - expat takes it by position only
    except (expat.ExpatError, ValueError, LookupError):
        raise TranslateError("the answer is not XML") from None
    return reader.found


class _Reader:
    """Collects a table from the events of one document."""

    def __init__(self) -> None:
        self.found = Statistics()
        self._path: list[str] = []
        self._text: list[str] = []
        self._values: list[str] = []
        self._elements = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._text.append
        self.parser.EndElementHandler = self._end

    def _document_type(self, *_: object) -> None:
        raise TranslateError("the answer has a document type, which no SOAP message may have")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._elements += 1
        if len(self._path) >= MOST_DEPTH or self._elements > MOST_ELEMENTS:
            raise TranslateError("the answer is too deep, or has too many elements")
        name = name.rpartition(":")[2]
        if not self._path and name != "Envelope":
            raise TranslateError("the answer is no SOAP envelope")
        if name == "Fault":
            raise SoapFault("it answers with a SOAP fault")
        self._path.append(name)
        self._text.clear()

    def _end(self, _: str) -> None:
        text, within = "".join(self._text).strip(), tuple(self._path[-3:])
        self._path.pop()
        self._text.clear()
        if within[1:] == ("values", "data"):
            self._values.append(text)
        elif within[1:] == ("columns", "values"):
            if self.found.columns or self.found.rows:
                raise TranslateError("the answer has two tables, or its columns behind its rows")
            self.found.columns, self._values = self._values, []
        elif within[1:] == ("rows", "values"):
            self.found.rows.append(self._values)
            self._values = []
        elif within[1:] == ("return", "timestamp"):
            self.found.timestamp = text
