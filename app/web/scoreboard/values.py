"""What campaigns were worth, at `/scoreboard/values`: uploaded as a file, looked at before anything is saved."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.core.campaign.value import MEMBERS, Figures
from app.core.campaign.value_file import Column, Understood
from app.errors import Conflict, Invalid
from app.services.container import Services
from app.services.values import Change, figures_shape
from app.web.campaigns.desk import WRITING, Desk, DeskDep
from app.web.exports import Format, Sheet
from app.web.format import count
from app.web.scoreboard.span import DEFAULT_DAYS
from app.web.scoreboard.value_form import MOST_FIELDS, UploadForm, read_upload, shown
from app.web.scoreboard.view import Cell, net_cell
from app.web.visitors import CampaignVisitor, OwnForm, Visit, Visitor

CHANGED, INVALID = 412, 422
SHOWN_FAULTS = 50
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SHEET = Sheet("value figures", ("campaign", "title", *MEMBERS, "net", "revision", "source", "by", "at"))

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """What a file does to one campaign: each figure before and after, and the net of it."""

    id: str
    title: str
    word: str
    figures: tuple[tuple[str, str, str], ...]
    net: Cell


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an upload: faults; or how it was read and what it changes, saved or not yet."""

    faults: tuple[str, ...] = ()
    understood: tuple[str, ...] = ()
    rows: tuple[ChangeRow, ...] = ()
    saved: bool = False
    same: bool = False
    status: int = 200


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A campaign and what was reported of it."""

    id: str
    title: str
    net: Cell
    by: str


@router.get("/scoreboard/values")
async def show_values(desk: DeskDep, who: Visitor, format: Format | None = None) -> Response:  # noqa: A002  the query's word
    """Return the form, and what is reported of the campaigns of the last 90 days; or that as a file."""
    if format:
        return await _file(desk.services, format)
    return await _page(desk, who)


@router.post("/scoreboard/values")
async def take_file(desk: DeskDep, request: Request, _: OwnForm, who: CampaignVisitor) -> Response:
    """Say what a file would change, or save it; to a script, that piece of the page alone."""
    form = await read_upload(await request.form(max_files=1, max_fields=MOST_FIELDS))
    result = await _result(desk.services, who, form)
    if request.headers.get("hx-request") != "true":
        return await _page(desk, who, result)
    return desk.page("partials/value_result.html", status=result.status, result=result)


async def _page(desk: Desk, who: Visit, result: Result | None = None) -> Response:
    services = desk.services
    now = services.clock.now()
    board = await services.scoreboards.board(now - timedelta(days=DEFAULT_DAYS), now)
    values = await services.values.of([line.score.campaign for line in board.lines])
    rows = []
    for line in reversed(board.lines):
        value = values.get(line.score.campaign)
        by = f"{value.by.name}, by {value.source.value}" if value else ""
        rows.append(ValueRow(line.score.campaign, line.score.title, net_cell(line.figures), by))
    return desk.page(
        "pages/values.html",
        status=result.status if result else 200,
        result=result,
        rows=rows,
        days=DEFAULT_DAYS,
        columns=[(column.value, column.value.replace("_", " ")) for column in Column],
        may_value=who.may(WRITING),
    )


async def _file(services: Services, form: Format) -> Response:
    now = services.clock.now()
    board = await services.scoreboards.board(now - timedelta(days=DEFAULT_DAYS), now)
    titles = {line.score.campaign: line.score.title for line in board.lines}
    values = await services.values.of(titles)
    rows = []
    for name, value in sorted(values.items()):
        own = value.figures
        figures, net = figures_shape(own).values(), None if own.net is None else float(own.net)
        rows.append([name, titles[name], *figures, net, value.revision, value.source.value, value.by.name, value.at])
    return SHEET.answer(form, rows, now)


async def _result(services: Services, who: Visit, form: UploadForm) -> Result:
    if form.faults:
        return Result(form.faults, status=INVALID)
    try:
        if form.saves:
            changes, understood = await services.values.save_file(form.content, form.reading, who.actor)
        else:
            changes, understood = await services.values.look_at(form.content, form.reading)
    except Invalid as fault:
        said = tuple(problem.detail for problem in fault.problems) or (str(fault),)
        more = (f"… and {len(said) - SHOWN_FAULTS} more.",) if len(said) > SHOWN_FAULTS else ()
        return Result((*said[:SHOWN_FAULTS], *more), status=INVALID)
    except Conflict:
        return Result(("Somebody else reported figures meanwhile. Look at it once more, then save.",), status=CHANGED)
    same = not any(each.is_new for each in changes)
    return Result((), tuple(_understood(understood)), tuple(map(_row, changes)), saved=form.saves, same=same)


def _understood(understood: Understood) -> list[str]:
    """Return how a file was read, in sentences."""
    columns = ", ".join(f"{column.replace('_', ' ')} from “{name}”" for column, name in understood.columns.items())
    apart = SEPARATORS.get(understood.separator, "signs")
    lines = [
        f"{count(understood.lines, 'line')}, apart by {apart}; the header is line {understood.header_line}.",
        f"Columns: {columns}.",
    ]
    if understood.ignored:
        lines.append(f"Not used: {', '.join(understood.ignored[:12])}.")
    return lines


def _row(change: Change) -> ChangeRow:
    before = change.before.figures if change.before else Figures()
    word = "as before" if not change.is_new else "changed" if change.before else "new"
    figures = tuple(
        (name.replace("_", " "), shown(getattr(before, name)), shown(getattr(change.after, name)))
        for name in MEMBERS
        if getattr(before, name) not in {None, ""} or getattr(change.after, name) not in {None, ""}
    )
    return ChangeRow(change.campaign.id, change.campaign.title, word, figures, net_cell(change.after))
