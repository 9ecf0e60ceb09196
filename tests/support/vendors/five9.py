"""Five9's supervisor service: strict about the password, the SOAP headers, and that a session comes first."""

import re
from typing import Any
from xml.sax.saxutils import escape

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong, must_be, must_sign_in

USER, PASSWORD = "holdfire@acme.example", "canary-five9-password"
PATH = "/wssupervisor/v9_5/SupervisorWebService"
COLUMNS = {
    "Skill Name", "Calls In Queue", "Current Longest Queue Time", "Longest Queue Time", "Agents Logged In",
    "Agents Ready For Calls", "Agents On Call", "Agents Not Ready For Calls", "Queue Callbacks", "VMs In Queue",
}  # fmt: skip


def skill(name: str, waiting: object = 0, oldest_ms: object = 0, **more: object) -> dict[str, str]:
    """Return a row: of the session the longest wait was an hour."""
    row = {
        "Skill Name": name,
        "Calls In Queue": waiting,
        "Current Longest Queue Time": oldest_ms,
        "Longest Queue Time": 3_600_000,
        "Agents Logged In": 9,
        "Agents Ready For Calls": 2,
        "Agents On Call": 4,
        "Agents Not Ready For Calls": 3,
        "Queue Callbacks": 7,
        "VMs In Queue": 1,
    } | more
    return {column: str(value) for column, value in row.items()}


def envelope(body: str) -> bytes:
    """Return an answer as the service writes it."""
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f"<env:Envelope xmlns:env='{soap}'><env:Header/><env:Body>{body}</env:Body></env:Envelope>".encode()


def fault(text: str) -> Answer:
    """Return a SOAP fault, with the status it has."""
    said = f"<env:Fault><faultcode>env:Server</faultcode><faultstring>{escape(text)}</faultstring></env:Fault>"
    return Answer(envelope(said), 500)


def table_of(columns: list[str], rows: list[list[Any]], timestamp: object) -> bytes:
    """Return an answer with a table."""

    def values(each: list[Any]) -> str:
        return "<values>" + "".join(f"<data>{escape(str(value))}</data>" for value in each) + "</values>"

    body = f"<columns>{values(columns)}</columns>" + "".join(f"<rows>{values(row)}</rows>" for row in rows)
    said = f"<return>{body}<timestamp>{timestamp}</timestamp><type>ACDStatus</type></return>"
    return envelope(f"<ns2:getStatisticsResponse xmlns:ns2='urn:x'>{said}</ns2:getStatisticsResponse>")


class Five9(Vendor):
    """skills: rows as `skill` makes them. others_in_session: so many supervisors that there is no room for us."""

    def __init__(self) -> None:
        super().__init__()
        self.skills: list[dict[str, str]] = []
        self.in_session = self.others_in_session = False
        self.sessions = 0

    def answer(self, asked: Asked) -> Answer:
        must_sign_in(asked, USER, PASSWORD)
        must_be(asked, "POST", PATH)
        if not asked.headers.get("content-type", "").startswith("text/xml") or "soapaction" not in asked.headers:
            raise Wrong(415, "no SOAP")
        text = asked.body.decode()
        if "setSessionParameters>" in text:
            return self._open(text)
        if "<statisticType>ACDStatus</statisticType>" not in text:
            raise Wrong(400, "other statistics")
        if not self.in_session:
            return fault("Session was closed or is not set")
        columns = re.findall("<data>([^<]*)</data>", text)
        if not columns or not set(columns) <= COLUMNS:
            raise Wrong(400, "columns that there are not")
        rows = [[row[column] for column in reversed(columns)] for row in self.skills]
        return Answer(table_of(columns[::-1], rows, int(self.now().timestamp() * 1000)))

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that reads this domain."""
        return {
            "type": "five9",
            "name": "five9",
            "url": self.url(PATH),
            "username": USER,
            "password": PASSWORD,
            "queues": {"day-voice": "Orders & more"},
        } | values

    def _open(self, text: str) -> Answer:
        if self.others_in_session and "<forceLogoutSession>true<" not in text:
            return fault("The maximum number of supervisor sessions is reached")
        if not all(f"<{name}>" in text for name in ("rollingPeriod", "shiftStart", "statisticsRange", "timeZone")):
            raise Wrong(400, "settings are missing")
        self.in_session, self.sessions = True, self.sessions + 1
        return Answer(envelope("<ns2:setSessionParametersResponse xmlns:ns2='urn:x'/>"))
