"""A gate's log on the board: read by everybody, written to by marketers and workforce managers, seen live by both."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.core.note import MAX_TEXT, Note, NoteDraft
from app.errors import HoldfireError, Invalid, NotFound
from app.services.container import Services
from app.services.notes import NotYours
from app.services.published import GateState
from app.web.exports import Format, Sheet
from app.web.now.activity import ask_rows
from app.web.now.boards import present
from app.web.now.log import TYPES, Line, Telling, lines
from app.web.now.views import titles_of, watched_queues, zone_of
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, Tools, ToolsDep
from app.web.visitors import CampaignVisitor, OwnForm, Visit, Visitor

SEE_OTHER, FORBIDDEN, INVALID = 303, 403, 422
LATEST_ASKS, LATEST_LINES, MOST_LINES = 12, 30, 400
REACH = timedelta(days=7)
SHARED_SECONDS = 5.0
NO_STORE = {"Cache-Control": "no-store"}
SHEET = Sheet("log", ("at", "kind", "what", "text", "who", "about"))

router = APIRouter()


class LogQuery(GateQuery):
    """A gate's log; format: as a file, with more lines than a page has."""

    format: Format | None = None


class NoteForm(BaseModel):
    """A note as the form sends it. about: `campaign/<id>`, `queue/<name>`, or nothing."""

    gate: str = Field(default="", max_length=63)
    text: str = Field(default="", max_length=8 * MAX_TEXT)
    about: str = Field(default="", max_length=300)

    def draft(self) -> NoteDraft:
        """Return what is to be written."""
        kind, _, name = self.about.partition("/")
        campaign, queue = (name if kind == wanted and name else None for wanted in ("campaign", "queue"))
        return NoteDraft(self.text, campaign=campaign, queue=queue)


class GateForm(BaseModel):
    """A button in a gate's log."""

    gate: str = Field(default="", max_length=63)


@router.get("/partials/log")
async def show_log(
    who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[LogQuery, Query()]
) -> Response:
    """Return the newest lines of the log as one piece of HTML, or the last week of it as a file."""
    _published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    if query.format:
        told = await _lines(services, state, who, MOST_LINES)
        rows = [(line.at, line.kind, line.what, line.text, line.who, line.about) for line in told]
        return SHEET.answer(query.format, rows, services.clock.now())

    async def make() -> tuple[bytes, float]:
        told = await log_of(services, state, who)
        lines_alone = tools.templates.get_template("partials/log_lines.html")
        return lines_alone.render(gate=state.gate, **told).encode(), SHARED_SECONDS

    # Who may take back notes of their own has a log of their own; all others share one.
    own = who.actor.id if who.may("campaigns") else None
    key = ("log", state.gate, await tools.boards.log_mark(services, state.gate), own, who.may("admin"))
    return HTMLResponse(await tools.answers.once(key, make), headers=NO_STORE)


@router.get("/partials/asks")
async def show_asks(
    _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[GateQuery, Query()]
) -> Response:
    """Return the last answers given as one piece of HTML."""
    _published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)

    async def make() -> tuple[bytes, float]:
        told = await asked_of(services, state)
        asks_alone = tools.templates.get_template("partials/asks.html")
        return asks_alone.render(gate=state.gate, **told).encode(), SHARED_SECONDS

    key = ("asks", state.gate, await tools.boards.log_mark(services, state.gate))
    return HTMLResponse(await tools.answers.once(key, make), headers=NO_STORE)


@router.post("/notes")
async def write_note(
    *,
    request: Request,
    _: OwnForm,
    who: CampaignVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[NoteForm, Form()],
) -> Response:
    """Write a note, and return the log with it; with a fault, and what was typed, where it was refused."""
    _published, state = present(services, form.gate)
    if state is None:
        return tools.no_gate(request, form.gate)
    try:
        await services.notes.write(state.gate, form.draft(), who.actor)
    except Invalid as refused:
        fault = next((problem.detail for problem in refused.problems), str(refused))
        return await _again(request, services, tools, state, who=who, form=form, fault=fault)
    if _is_fragment(request):
        return await _panel(request, services, tools, state, who=who)
    return _to_log(state.gate)


@router.post("/notes/{note_id}/withdraw")
async def withdraw_note(
    *,
    request: Request,
    note_id: str,
    _: OwnForm,
    who: CampaignVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[GateForm, Form()],
) -> Response:
    """Take a note back, and return the log without it."""
    _published, state = present(services, form.gate)
    if state is None:
        return tools.no_gate(request, form.gate)
    try:
        await services.notes.withdraw(note_id, who.actor, of_anybody=who.may("admin"), gate=state.gate)
    except (NotYours, NotFound) as fault:
        return _refused(request, tools, fault)
    if _is_fragment(request):
        return await _panel(request, services, tools, state, who=who)
    return _to_log(state.gate)


def _refused(request: Request, tools: Tools, fault: HoldfireError) -> Response:
    status = NOT_FOUND if isinstance(fault, NotFound) else FORBIDDEN
    return tools.page(request, "pages/problem.html", status=status, title="Nothing was taken back", detail=f"{fault}.")


async def _again(
    request: Request, services: Services, tools: Tools, state: GateState, *, who: Visit, form: NoteForm, fault: str
) -> Response:
    typed = {"typed": form, "fault": fault}
    if _is_fragment(request):
        return await _panel(request, services, tools, state, who=who, status=INVALID, **typed)
    context = await log_of(services, state, who) | typed
    return tools.page(request, "pages/log.html", status=INVALID, gate=state.gate, acting="campaigns", **context)


async def _panel(
    request: Request,
    services: Services,
    tools: Tools,
    state: GateState,
    *,
    who: Visit,
    status: int = 200,
    **typed: object,
) -> Response:
    context = await log_of(services, state, who) | typed
    return tools.page(request, "partials/log.html", status=status, gate=state.gate, acting="campaigns", **context)


def _is_fragment(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _to_log(gate: str) -> Response:
    return RedirectResponse(f"/?gate={quote(gate, safe='')}#log", SEE_OTHER)


async def log_of(services: Services, state: GateState, who: Visit) -> dict[str, Any]:
    """Return what the log's panel shows: its lines, and what a note can be about."""
    queues = titles_of(services.evaluator.floor.targets)
    watched = watched_queues(state, services.evaluator.published.view)
    about = [(f"campaign/{each.id}", each.title) for each in services.campaigns.on_their_way(state.gate)]
    about += [(f"queue/{queue}", queues.get(queue, queue)) for queue in watched]
    return {
        "log_lines": await _lines(services, state, who, LATEST_LINES),
        "about": about,
        "typed": NoteForm(),
        "fault": "",
        "longest": MAX_TEXT,
    }


async def _lines(services: Services, state: GateState, who: Visit, most: int) -> list[Line]:
    now, gate = services.clock.now(), state.gate
    since = now - REACH
    events = await services.events.page(gate=gate, types=TYPES, start=since, limit=most)
    notes = await services.notes.page(gate, start=since, limit=most)
    named = {name for each in events if (name := each.event.campaign)} | {
        name for note in notes if (name := note.campaign)
    }
    campaigns = {name: known.title for name in named if (known := services.campaigns.known(name))}
    told = Telling(now, zone_of(state), titles_of(services.evaluator.floor.targets), campaigns)
    return lines(events, notes, told, lambda note: _may_withdraw(who, note), most)


def _may_withdraw(who: Visit, note: Note) -> bool:
    return who.may("campaigns") and (note.author.id == who.actor.id or who.may("admin"))


async def asked_of(services: Services, state: GateState) -> dict[str, Any]:
    """Return the last answers that were given."""
    now, zone = services.clock.now(), zone_of(state)
    asks = await services.decisions.page(gate=state.gate, kind="asked", limit=LATEST_ASKS)
    names = {user.id: user.name for user in await services.accounts.all()}
    names |= {key.id: key.name for key in await services.keys.all()}
    return {"asks": ask_rows(asks, names, now, zone)}
