"""A gate's limits at /thresholds: looked at by everybody, changed with a reason by who may, never unseen."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.errors import Conflict, Invalid, NotFound
from app.ports.gates import PolicyVersion
from app.services.container import Services
from app.web.exports import Format
from app.web.thresholds.desk import Desk, Look, context, fresh, meanwhile, open_desk
from app.web.thresholds.form import Draft, Typed, definition_of, draft, placed, read_typed, scale_of, with_step
from app.web.thresholds.view import SHEET, review, sheet_row
from app.web.tools import GateQuery, ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, PolicyVisitor, Visit, Visitor

SEE_OTHER, CHANGED, INVALID = 303, 412, 422
LONGEST_REASON = 500
MOST_VERSIONS = 500
NOTHING_TO_SAVE = "Nothing differs from what is saved."
LOOK_FIRST = "Nothing is saved yet. See below what would change, then save."
NO_REASON = f"Say why, in 1 to {LONGEST_REASON} characters; it stays beside this version."
# What a script gets where it adds or removes something: the piece that it has the place for.
PARTS = {"rules": "partials/thresholds_rules.html", "windows": "partials/thresholds_windows.html"}

router = APIRouter()


class ThresholdsQuery(GateQuery):
    """The page's URL, besides limits as the backtest's dials have them (hold-0, resume-0): read leniently, as text.

    version: an older one to be used again; saved: the one that was saved a moment ago; before: versions below it.
    """

    version: str = Field(default="", max_length=20)
    saved: str = Field(default="", max_length=20)
    before: str = Field(default="", max_length=20)
    queue: str = Field(default="", max_length=200)
    rule: str = Field(default="", max_length=20)
    format: Format | None = None


@router.get("/thresholds")
async def show_thresholds(
    request: Request,
    who: Visitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[ThresholdsQuery, Query()],
) -> Response:
    """Return the page, or with `format` all versions as a file."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return tools.no_gate(request, query.gate)
    if query.format:
        return await _file(services, desk, query.format)
    older = await _older(services, desk, query.version)
    base = fresh(desk, older)
    saved = whole(query.saved)
    look = Look(
        _turned(base, request.query_params),
        base,
        reason=f"Use version {older.version} again" if older else "",
        notice=f"Saved as version {saved}. It decides from the next second on." if saved == desk.version else "",
    )
    return await _page(request, who, services, tools, desk=desk, look=look, query=query)


@router.post("/thresholds")
async def take_thresholds(
    request: Request,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[ThresholdsQuery, Query()],
) -> Response:
    """Save what is typed, once it was shown what that changes; or show it, or add or remove a rule or a window."""
    desk = await open_desk(services, query.gate)
    if desk is None:
        return tools.no_gate(request, query.gate)
    form = await request.form()
    step, reason = text_of(form, "step"), text_of(form, "reason")
    base = fresh(desk, await _older(services, desk, query.version))
    look = Look(with_step(typed_in(form), step), base, reason)
    if step != "save":
        return await _page(request, who, services, tools, desk=desk, look=look, query=query)
    expected = whole(text_of(form, "expected")) or 0
    saved, look, status = await _save(services, who, desk, look, expected=expected, was_seen=text_of(form, "seen"))
    if saved:
        return RedirectResponse(f"/thresholds?gate={quote(desk.gate, safe='')}&saved={saved.version}", SEE_OTHER)
    now = await open_desk(services, query.gate) or desk
    return await _page(request, who, services, tools, desk=now, look=look, query=query, status=status)


async def _save(
    services: Services, who: Visit, desk: Desk, look: Look, *, expected: int, was_seen: str
) -> tuple[PolicyVersion | None, Look, int]:
    """Return the saved version; or None, with what to say and the status to say it with."""
    drafted = draft(look.typed)
    fault = "" if 1 <= len(look.reason) <= LONGEST_REASON and look.reason.isprintable() else NO_REASON
    if desk.version != expected:
        return None, await _conflicting(services, desk, look, expected), CHANGED
    if drafted.faults or fault:
        return None, replace(look, reason_fault=fault, refused="Nothing was saved."), INVALID
    shown = review(desk.saved, drafted)
    if not shown.changes:
        return None, replace(look, refused=NOTHING_TO_SAVE), INVALID
    if was_seen != shown.seen:
        return None, replace(look, notice=LOOK_FIRST), 200
    return await _saved(services, who, desk, look, drafted)


async def _saved(
    services: Services, who: Visit, desk: Desk, look: Look, drafted: Draft
) -> tuple[PolicyVersion | None, Look, int]:
    author, reason = who.actor.name, look.reason
    try:
        saved = await services.gates.save(
            desk.gate, drafted.document, author=author, reason=reason, expected=desk.version, actor=who.actor
        )
    except Conflict:
        newer = await open_desk(services, desk.gate) or desk
        return None, await _conflicting(services, newer, look, desk.version), CHANGED
    except Invalid as fault:
        said = " ".join(placed(fault.problems, drafted.document, {}).values())
        return None, replace(look, refused=f"Nothing was saved. {said}"), INVALID
    return saved, look, 200


async def _conflicting(services: Services, desk: Desk, look: Look, expected: int) -> Look:
    other = await meanwhile(services, desk, expected)
    return replace(look, refused="Nothing was saved.", meanwhile=other)


async def _page(
    request: Request,
    who: Visit,
    services: Services,
    tools: Tools,
    *,
    desk: Desk,
    look: Look,
    query: ThresholdsQuery,
    status: int = 200,
) -> Response:
    shown = await context(services, desk, look, whole(query.before))
    rule = whole(query.rule) or 0
    part = request.headers.get("hx-target") if request.headers.get("hx-request") == "true" else None
    return tools.page(
        request,
        PARTS.get(part or "", "pages/thresholds.html"),
        status=status,
        may_edit=who.may("policies"),
        rule=rule if rule < look.typed.rules else 0,
        queue=query.queue,
        **shown,
    )


async def _file(services: Services, desk: Desk, form: Format) -> Response:
    found = await services.gates.versions(desk.gate, None, MOST_VERSIONS + 1)
    former = [*found[1:], None]
    rows = [sheet_row(older, saved) for saved, older in zip(found, former, strict=False)][:MOST_VERSIONS]
    return SHEET.answer(form, rows, desk.now)


async def _older(services: Services, desk: Desk, version: str) -> PolicyVersion | None:
    number = whole(version)
    try:
        return await services.gates.policy(desk.gate, number) if number else None
    except NotFound:
        return None


def _turned(typed: Typed, params: Mapping[str, str]) -> Typed:
    """Return the form with the limits that a URL names, in the document's units; what is no number is left out."""
    turned = dict(typed.text)
    for place in range(typed.rules):
        scale = scale_of(definition_of(typed.text[f"rule-{place}-metric"]))
        for end in ("hold", "resume"):
            try:
                value = float(params.get(f"{end}-{place}", ""))
            except ValueError:
                continue
            if abs(value) <= 1e9:  # noqa: PLR2004  -- beyond it, and for what is no number at all, it stays as saved
                turned[f"rule-{place}-{end}"] = f"{round(value * scale, 6):g}"
    return Typed(turned, typed.rules, typed.windows)


def typed_in(form: FormData) -> Typed:
    """Return what the policy's fields of a form say."""
    return read_typed([(name, value) for name, value in form.multi_items() if isinstance(value, str)])


def text_of(form: FormData, name: str) -> str:
    """Return a field's text, empty for one that is not there."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def whole(text: str) -> int | None:
    """Return a whole number of a URL or a hidden field, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004
