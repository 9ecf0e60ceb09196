"""Gates made and taken away by people: with a reason, and taken away only after a second look."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.errors import Conflict, Invalid, NotFound
from app.services.container import Services
from app.web.format import count
from app.web.thresholds.desk import Desk, open_desk
from app.web.thresholds.pages import INVALID, LONGEST_REASON, SEE_OTHER, text_of
from app.web.tools import GateQuery, ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, PolicyVisitor

TAKEN = 409
NO_REASON = f"Say why, in 1 to {LONGEST_REASON} characters; it stays in the audit log."

router = APIRouter(prefix="/thresholds")


@router.post("/gates")
async def make_gate(
    request: Request, _: OwnForm, who: PolicyVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Make a gate, and lead to its first policy."""
    form = await request.form()
    name, reason = text_of(form, "name"), text_of(form, "gate-reason")
    faults = _reason_faults(reason, "gate-reason")
    status = INVALID
    if not faults:
        try:
            await services.gates.create(name, who.actor, reason)
            return RedirectResponse(_page_of(name), SEE_OTHER)
        except Invalid as fault:
            faults["name"] = " ".join(
                f"{problem.detail[:1].upper()}{problem.detail[1:]}." for problem in fault.problems
            )
        except Conflict as fault:
            faults["name"], status = f"{str(fault).capitalize()}.", TAKEN
    return tools.page(request, "pages/gate_new.html", status=status, name=name, reason=reason, faults=faults)


@router.get("/delete")
async def ask_first(
    request: Request,
    _: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[GateQuery, Query()],
) -> Response:
    """Say what deleting a gate means, and ask why."""
    desk = await open_desk(services, query.gate) if query.gate else None
    if desk is None:
        return tools.no_gate(request, query.gate)
    return _deleting(request, services, tools, desk)


@router.post("/delete")
async def delete_gate(
    request: Request,
    _: OwnForm,
    who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[GateQuery, Query()],
) -> Response:
    """Delete a gate whose name was typed once more, with a reason."""
    desk = await open_desk(services, query.gate) if query.gate else None
    if desk is None:
        return tools.no_gate(request, query.gate)
    form = await request.form()
    name, reason = text_of(form, "name"), text_of(form, "reason")
    faults = _reason_faults(reason, "reason")
    if name != desk.gate:
        faults["name"] = f"Type {desk.gate}, the name of the gate that is to go."
    if faults:
        return _deleting(request, services, tools, desk, name=name, reason=reason, faults=faults)
    try:
        await services.gates.delete(desk.gate, who.actor, reason)
    except NotFound:
        return tools.no_gate(request, desk.gate)
    return RedirectResponse("/thresholds", SEE_OTHER)


def _deleting(
    request: Request,
    services: Services,
    tools: Tools,
    desk: Desk,
    *,
    name: str = "",
    reason: str = "",
    faults: dict[str, str] | None = None,
) -> Response:
    return tools.page(
        request,
        "pages/gate_delete.html",
        status=INVALID if faults else 200,
        gate=desk.gate,
        losses=_losses(services, desk),
        name=name,
        reason=reason,
        faults=faults or {},
    )


def _losses(services: Services, desk: Desk) -> list[str]:
    """Return, in sentences, what goes with a gate."""
    going = services.campaigns.on_their_way(desk.gate)
    overrides = services.overrides.of(desk.gate)
    said = ["Whoever asks this gate from then on is told that there is none (404), which is never a go."]
    if going:
        titles = ", ".join(campaign.title for campaign in going)
        said.append(f"{count(len(going), 'campaign')} on the way through it will not be let go any more: {titles}.")
    if overrides:
        said.append(f"{count(len(overrides), 'override')} of it will be gone.")
    if desk.version:
        said.append(f"Its policy will be gone, {count(desk.version, 'version')} of it; take a file of them first.")
    return [*said, "The decisions it took stay in the log, and so does your reason."]


def _reason_faults(reason: str, name: str) -> dict[str, str]:
    return {} if 1 <= len(reason) <= LONGEST_REASON and reason.isprintable() else {name: NO_REASON}


def _page_of(gate: str) -> str:
    return f"/thresholds?gate={quote(gate, safe='')}"
