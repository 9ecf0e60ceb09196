"""Asking for a permit from the planning page, by the same way as over HTTP; and what becomes of it by hand.

The form has made its key before it is sent, so that a double click, or the page read again, takes once.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.core.permit.request import RequestRefused, parse_request, parse_sent
from app.errors import Conflict, HoldfireError, NotFound
from app.ports.keys import ApiKey
from app.services.permit_answers import PermitAnswer
from app.web.campaigns.desk import Desk, DeskDep
from app.web.campaigns.gate import said_of
from app.web.plan.form import PlanQuery
from app.web.plan.pages import Question, Taken, ask, plan_page
from app.web.typed import NotRead, read_audience
from app.web.visitors import OwnForm, PermitVisitor, Visit

SEE_OTHER, NOT_FOUND, CONFLICT, INVALID = 303, 404, 409, 422
CLICKS, IN_FLIGHT_SECONDS = 6, 0.05

router = APIRouter(prefix="/plan/permits")


class TakeForm(BaseModel):
    """An ask: for whom, how many, how long; `key` stands for it however often it is sent. back: the plan's question."""

    gate: str = Field(default="default", max_length=63)
    campaign: str = Field(default="", max_length=200)
    audience: str = Field(default="", max_length=60)
    partial: str = ""
    ttl: str = Field(default="", max_length=10)
    key: str = Field(min_length=8, max_length=100, pattern=r"^[\w-]+$")
    back: str = Field(default="", max_length=4000)


class PermitForm(BaseModel):
    """What is done with a permit: so many were sent so far. back: the plan's question."""

    sent: str = Field(default="", max_length=60)
    back: str = Field(default="", max_length=4000)


@router.post("")
async def take(desk: DeskDep, _: OwnForm, who: PermitVisitor, given: Annotated[TakeForm, Form()]) -> Response:
    """Take a permit and lead to it; a refusal is shown with its reasons, and reserves nothing."""
    question = await ask(desk, _back(given.back))
    if isinstance(question, Response):
        return question
    try:
        answer = await _taken(desk, who, given)
    except RequestRefused as refused:
        return await _refused(desk, who, question, *(_sentence(each.detail) for each in refused.problems))
    except (NotRead, HoldfireError) as fault:
        status = CONFLICT if isinstance(fault, Conflict) else INVALID
        return await _refused(desk, who, question, _sentence(str(fault)), status=status)
    if answer.permit is None:
        said = said_of(desk.services, answer.looked, answer.looked.request.audience or 0)
        return await plan_page(desk, who, question, Taken(refused=said), status=answer.status)
    return _to_permit(given.back, answer.permit.id)


async def _taken(desk: Desk, who: Visit, given: TakeForm) -> PermitAnswer:
    """Return the answer to an ask. While the same one is being settled, for an earlier click, that is waited for."""
    audience = read_audience(given.audience)
    document = {
        "gate": given.gate,
        "campaign": given.campaign or None,
        "audience": audience,
        "accept_partial": bool(given.partial),
        "ttl_seconds": int(given.ttl) if given.ttl.isascii() and given.ttl.isdigit() else None,
    }
    asked, asker, permits = parse_request(document), _asker(who), desk.services.permits
    for attempt in range(1, CLICKS):
        with suppress(Conflict):
            return await permits.take(asker, asked, given.key)
        await asyncio.sleep(attempt * IN_FLIGHT_SECONDS)
    return await permits.take(asker, asked, given.key)


@router.post("/{permit}/report")
async def report(
    desk: DeskDep, permit: str, _: OwnForm, who: PermitVisitor, given: Annotated[PermitForm, Form()]
) -> Response:
    """Book how many were sent so far."""
    try:
        sent = read_audience(given.sent) if given.sent.strip() != "0" else 0
        await desk.services.permits.report(permit, parse_sent({"sent": sent}), who.actor)
    except (NotRead, RequestRefused, HoldfireError) as fault:
        return await _fault(desk, who, permit, given, fault)
    return _to_permit(given.back, permit)


@router.post("/{permit}/release")
async def release(
    desk: DeskDep, permit: str, _: OwnForm, who: PermitVisitor, given: Annotated[PermitForm, Form()]
) -> Response:
    """Give back what was not sent."""
    try:
        await desk.services.permits.release(permit, who.actor)
    except HoldfireError as fault:
        return await _fault(desk, who, permit, given, fault)
    return _to_permit(given.back, permit)


async def _fault(desk: Desk, who: Visit, permit: str, given: PermitForm, fault: Exception) -> Response:
    question = await ask(desk, _back(given.back).model_copy(update={"permit": permit}))
    if isinstance(question, Response):
        return question
    status = NOT_FOUND if isinstance(fault, NotFound) else CONFLICT if isinstance(fault, Conflict) else INVALID
    said = fault.problems[0].detail if isinstance(fault, RequestRefused) else str(fault)
    return await _refused(desk, who, question, _sentence(said), status=status)


async def _refused(desk: Desk, who: Visit, question: Question, *faults: str, status: int = INVALID) -> Response:
    return await plan_page(desk, who, question, Taken(faults=faults), status=status)


def _back(query: str) -> PlanQuery:
    """Return the question that a form was sent from; what is none of it is left out."""
    known = {name: value[:60] if name == "audience" else value for name, value in parse_qsl(query)}
    try:
        return PlanQuery.model_validate({name: each for name, each in known.items() if name in PlanQuery.model_fields})
    except ValueError:
        return PlanQuery()


def _to_permit(back: str, permit: str) -> Response:
    return RedirectResponse(_back(back).url(permit=permit), SEE_OTHER)


def _asker(who: Visit) -> ApiKey:
    """Return the visitor as whoever asks for permits."""
    return ApiKey(who.actor.id, who.actor.name, who.scopes, b"", datetime.fromtimestamp(0, UTC))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
