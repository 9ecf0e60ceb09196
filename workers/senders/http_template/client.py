"""Drives any tool that has an HTTP API, by templates from the configuration."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from app.core.sending.standing import Abilities, SendingState, Standing
from app.ports.senders import Sender, SenderFault
from workers.senders.http_template.translate import Reading, Template, path_fault, standing_of
from workers.senders.speaking import Speaker
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

METHODS = ("POST", "PUT", "PATCH", "DELETE")
STATES = tuple(state.value for state in SendingState)
LAG_SECONDS = 5.0
TAKES_SECONDS = 15.0


def configured(table: Table) -> Callable[[], Sender]:
    """Return what makes the sender of {type="http", url, start, status, states, pause?, resume?, …}. Raises Invalid.

    Without `pause` the tool cannot be paused; without `resume` it is resumed as it is started.
    """
    url, reach = table.url("url"), reach_of(table)
    start = _template(table, "start")
    pause = _template(table, "pause") if "pause" in table.keys else None
    resume = _template(table, "resume") if "resume" in table.keys else start
    asked, reading = _status(table)
    abilities = Abilities(
        can_pause=pause is not None,
        lag_seconds=table.seconds("lag_seconds", LAG_SECONDS, 0, 600),
        per_second=table.number("messages_per_second", None, 0.01, 100_000) if pause is not None else 0.0,
        takes_seconds=table.seconds("takes_seconds", TAKES_SECONDS, 0, 600),
    )
    templates = {"start": start, "resume": resume} | ({"pause": pause} if pause is not None else {})
    return lambda: HttpTemplate(url, reach, abilities, templates=templates, asked=asked, reading=reading)


class HttpTemplate:
    """The Sender port on what templates say. asked: the path of the answer that `reading` reads."""

    def __init__(
        self,
        url: str,
        reach: Reach,
        abilities: Abilities,
        *,
        templates: Mapping[str, Template],
        asked: Template,
        reading: Reading,
    ) -> None:
        self._speaker, self._abilities = Speaker(url, reach), abilities
        self._templates, self._asked, self._reading = templates, asked, reading

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    async def status(self, campaign: str) -> Standing:
        return standing_of(await self._speaker.ask(self._asked.path_for(campaign)), self._reading)

    async def start(self, campaign: str) -> None:
        await self._command("start", campaign)

    async def resume(self, campaign: str) -> None:
        await self._command("resume", campaign)

    async def pause(self, campaign: str) -> None:
        if "pause" not in self._templates:
            raise SenderFault("the configuration says no way to pause a campaign there")
        await self._command("pause", campaign)

    async def close(self) -> None:
        await self._speaker.close()

    async def _command(self, word: str, campaign: str) -> None:
        """Send a command; whatever a 2xx answer says, `status` tells what became of it."""
        template = self._templates[word]
        await self._speaker.tell(template.method, template.path_for(campaign), template.body_for(campaign))


def _template(table: Table, key: str) -> Template:
    within = table.table(key)
    method = within.choice("method", METHODS, "POST")
    return Template(method, _path(within), _body(within))


def _path(within: Table) -> str:
    path = within.text("path")
    if fault := path_fault(path):
        raise within.fault("path", f"{path!r} {fault}", 'write for example "/campaigns/{campaign}/start"')
    return path


def _body(within: Table) -> Mapping[str, Any] | None:
    text = within.optional_text("json")
    if text is None:
        return None
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError as fault:
        raise within.fault("json", f"is not JSON ({fault})", """write for example '{"status": "running"}'""") from None
    if not isinstance(body, dict):
        raise within.fault("json", "is no JSON object", """write for example '{"status": "running"}'""")
    return body


def _status(table: Table) -> tuple[Template, Reading]:
    within, words = table.table("status"), table.table("states")
    states = {word: SendingState(words.choice(word, STATES)) for word in words.keys}
    if SendingState.RUNNING not in states.values():
        raise table.fault("states", "has no word for running", 'write { draft = "ready", live = "running", … }')
    reading = Reading(
        state=_expression(within, "state"),
        sent=_expression(within, "sent"),
        states=states,
        target=_expression(within, "target") if "target" in within.keys else None,
    )
    return Template("GET", _path(within)), reading


def _expression(within: Table, key: str) -> ParsedResult:
    text = within.text(key)
    try:
        return jmespath.compile(text)
    except JMESPathError as fault:
        said = re.sub(r"\s+", " ", str(fault)).strip()
        raise within.fault(key, f"{text!r} is not JMESPath ({said})", "see jmespath.org") from None
