"""/notes: what people and programs want everybody to know about a gate's day; marks on the charts, lines in the log."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import ALL_POWERFUL, CampaignWriter, Reader
from app.api.bodies import read
from app.api.cursors import place_of
from app.api.deps import CursorQuery, FromQuery, Instant, LimitQuery, Name, ServicesDep, ToQuery, answer
from app.api.paging import page_of
from app.api.problems import FORBIDDEN, Refused
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.core.note import MAX_TEXT, Note, NoteDraft, NoteKind
from app.services.notes import NotYours
from app.services.shapes import instant

router = APIRouter(prefix="/notes", tags=["notes"])
NotePath = Annotated[str, Path(description="the note's id", max_length=64, examples=["note_5f0c1d2e3a4b5c6d"])]


class NoteGiven(Given):
    """A new note. kind: `note` for what people write; `deploy` and `incident` for what programs mark."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "shop 4.2 is live", "kind": "deploy"}]})

    text: Annotated[str, Field(max_length=4 * MAX_TEXT, description=f"what happened, at most {MAX_TEXT} characters")]
    gate: Annotated[Name, Field(description="in whose log it stands")] = "default"
    kind: Annotated[NoteKind, Field(description="what it tells of")] = NoteKind.NOTE
    at: Annotated[Instant | None, Field(description="the instant it is about; default: now")] = None
    campaign: Annotated[str | None, Field(max_length=200, description="the campaign it is about")] = None
    queue: Annotated[str | None, Field(max_length=200, description="the queue it is about; default: all")] = None


class Author(Shape):
    """Who wrote it."""

    id: str
    name: str


class NoteShape(Shape):
    """A note. withdrawn_at: when its author took it back; null while it stands."""

    id: str
    gate: str
    kind: NoteKind
    text: str
    at: str = text_at()
    written_at: str = text_at()
    author: Author
    campaign: str | None
    queue: str | None
    withdrawn_at: str | None = text_at()


class NotePage(Shape):
    """A page of notes that stand, newest first."""

    items: list[NoteShape]
    next_cursor: str | None = Field(description="null on the last page")


@router.get(
    "",
    operation_id="listNotes",
    summary="Read a gate's notes",
    responses={200: {"model": NotePage, "headers": headers({"Link": "the next page"})}, **problems(422)},
)
async def notes(
    *,
    request: Request,
    services: ServicesDep,
    _: Reader,
    gate: Annotated[Name, Query(description="of this gate")] = "default",
    kind: Annotated[list[NoteKind], Query(description="of these kinds only; may be repeated")] = [],  # noqa: B006  FastAPI copies it
    start: FromQuery = None,
    until: ToQuery = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> Response:
    """What was written about instants in the span, newest first, in pages. Withdrawn ones are in `/events` only."""
    before = place_of(cursor) if cursor else None
    found = await services.notes.page(gate, kinds=kind, start=start, until=until, before=before, limit=limit + 1)
    return page_of(request, found, limit, shape=note_shape, key=lambda note: (note.at, note.id))


@router.post(
    "",
    operation_id="writeNote",
    summary="Write a note",
    status_code=201,
    responses={
        201: {"model": NoteShape, "headers": headers({"Location": "the note"})},
        **problems(404, 413, 415, 422),
    },
    openapi_extra=takes("application/json", schema=component("NoteGiven")),
)
async def write(request: Request, services: ServicesDep, caller: CampaignWriter) -> Response:
    """Everybody who looks at the gate sees it within seconds, in the log and as a mark on the charts."""
    given = await read(request, NoteGiven)
    draft = NoteDraft(given.text, NoteKind(given.kind), given.at, given.campaign or None, given.queue or None)
    note = await services.notes.write(given.gate, draft, Actor(caller.id, caller.name))
    return answer(note_shape(note), 201, {"Location": f"{request.url.path}/{note.id}"})


@router.get(
    "/{note_id}",
    operation_id="getNote",
    summary="Read one note",
    responses={200: {"model": NoteShape}, **problems(404, 422)},
)
async def note(note_id: NotePath, services: ServicesDep, _: Reader) -> Response:
    """One note, withdrawn or not."""
    return answer(note_shape(await services.notes.find(note_id)))


@router.delete(
    "/{note_id}",
    operation_id="withdrawNote",
    summary="Take a note back",
    responses={200: {"model": NoteShape}, **problems(403, 404, 422)},
)
async def withdraw(note_id: NotePath, services: ServicesDep, caller: CampaignWriter) -> Response:
    """It is shown no longer and stays in `/events`. Only who wrote it, or an admin, may; again changes nothing."""
    is_admin = ALL_POWERFUL in caller.scopes
    try:
        taken = await services.notes.withdraw(note_id, Actor(caller.id, caller.name), of_anybody=is_admin)
    except NotYours as fault:
        raise Refused(FORBIDDEN, str(fault)) from fault
    return answer(note_shape(taken))


def note_shape(note: Note) -> dict[str, Any]:
    """Return a note as the API shows it."""
    return {
        "id": note.id,
        "gate": note.gate,
        "kind": note.kind,
        "text": note.text,
        "at": instant(note.at),
        "written_at": instant(note.written_at),
        "author": {"id": note.author.id, "name": note.author.name},
        "campaign": note.campaign,
        "queue": note.queue,
        "withdrawn_at": instant(note.withdrawn_at),
    }
