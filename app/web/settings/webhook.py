"""One webhook at `/settings/webhooks/{id}`: changed, tested, switched, given a new secret; what was delivered to it."""

from dataclasses import replace
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi import Form as FormBody
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.errors import Conflict, Invalid, NotFound
from app.ports.webhooks import DeliveryState, Webhook
from app.services.container import Services
from app.services.webhooks import plan_of
from app.web.account.center import center_zone
from app.web.decisions.around import every_page
from app.web.decisions.filters import place_text, row_place
from app.web.exports import Format, Sheet
from app.web.moments import zoned
from app.web.settings.faults import sentence
from app.web.settings.webhook_form import WebhookForm, plan_of_form, refused, typed
from app.web.settings.webhook_view import (
    DELIVERY_COLUMNS,
    FORMS,
    PATH,
    STATES,
    delivery_cells,
    delivery_row,
    type_groups,
    webhook_row,
)
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import AdminVisitor, OwnForm

SEE_OTHER, CONFLICT, CHANGED, INVALID = 303, 409, 412, 422
SHOWN = 25
OTHERS = "Somebody else changed this webhook meanwhile. What you typed is still here: compare, then save again."
DONE = {
    "saved": "Saved. It counts for what happens from now on.",
    "tested": "A test is on its way; it is the first of the deliveries below.",
    "on": "On again. It is told of what happens from now on.",
    "off": "Off. Nothing is sent, and what waited for it has ended.",
    "again": "It is sent again now, under the same id.",
}

router = APIRouter(prefix=f"{PATH}/{{webhook_id}}")


class WebhookQuery(BaseModel):
    """What was just done, what somebody is about to do, and which deliveries are shown."""

    done: str = ""
    sure: str = ""
    state: str = ""
    before: str = Field("", max_length=300)
    format: Format | None = None


@router.get("")
async def show_webhook(
    *,
    request: Request,
    webhook_id: str,
    _: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[WebhookQuery, Query()],
) -> Response:
    """Return one webhook with its deliveries, or these as a file."""
    try:
        webhook = await services.webhooks.get(webhook_id)
    except NotFound:
        return _no_webhook(request, tools, webhook_id)
    if query.format:
        read = partial(services.webhooks.deliveries, webhook_id, state=_state(query))
        pages = every_page(read, delivery_cells, lambda each: (each.created_at, each.id))
        sheet = Sheet(f"deliveries of {webhook.id}", DELIVERY_COLUMNS)
        return await sheet.stream(query.format, pages, services.clock.now())
    return await _page(request, services, tools, webhook=webhook, query=query)


@router.post("")
async def change(
    *,
    request: Request,
    webhook_id: str,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[WebhookForm, FormBody()],
) -> Response:
    """Change what a webhook is told, and where."""
    show = partial(_page, request, services, tools, query=WebhookQuery())
    try:
        present = await services.webhooks.get(webhook_id)
        plan, faults = plan_of_form(form, enabled=present.disabled_at is None)
        if faults:
            return await show(webhook=present, form=form, faults=faults)
        await services.webhooks.change(webhook_id, plan, who.actor, expected=form.saw)
    except NotFound:
        return _no_webhook(request, tools, webhook_id)
    except Invalid as fault:
        return await show(webhook=present, form=form, faults=refused(fault.problems))
    except Conflict:
        present = await services.webhooks.get(webhook_id)
        form = form.model_copy(update={"revision": str(present.revision)})
        return await show(webhook=present, form=form, faults={"": OTHERS}, status=CHANGED)
    return _gone_to(webhook_id, "saved")


@router.post("/test")
async def test(
    request: Request, webhook_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Put out a test to this webhook alone."""
    try:
        await services.webhooks.test(webhook_id, who.actor)
    except (Conflict, NotFound) as fault:
        return await _refused(request, services, tools, webhook_id, fault)
    return _gone_to(webhook_id, "tested")


@router.post("/secret")
async def rotate(
    request: Request, webhook_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Make a new secret and show it, this once; the one before signs beside it for a day."""
    try:
        rotated = await services.webhooks.rotate(webhook_id, who.actor)
    except (Conflict, NotFound) as fault:
        return await _refused(request, services, tools, webhook_id, fault)
    return await _page(request, services, tools, webhook=rotated, query=WebhookQuery(), secret=rotated.secret)


@router.post("/switch")
async def switch(
    *,
    request: Request,
    webhook_id: str,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    to: Annotated[str, FormBody()] = "off",
) -> Response:
    """Switch a webhook on or off; what waits for one that is switched off has ended."""
    try:
        present = await services.webhooks.get(webhook_id)
        plan = replace(plan_of(present), enabled=to == "on")
        await services.webhooks.change(webhook_id, plan, who.actor, expected=present.revision)
    except (Conflict, NotFound) as fault:
        return await _refused(request, services, tools, webhook_id, fault)
    except Invalid as fault:
        return await _page(
            request, services, tools, webhook=present, query=WebhookQuery(), faults=refused(fault.problems)
        )
    return _gone_to(webhook_id, "on" if to == "on" else "off")


@router.post("/delete")
async def delete(
    request: Request, webhook_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Delete a webhook with everything that was, or is still, to be delivered to it."""
    try:
        await services.webhooks.delete(webhook_id, who.actor)
    except NotFound:
        return _no_webhook(request, tools, webhook_id)
    return RedirectResponse(f"{PATH}?done=deleted", SEE_OTHER)


@router.post("/deliveries/{delivery_id}/retry")
async def retry(
    *,
    request: Request,
    webhook_id: str,
    delivery_id: str,
    _: OwnForm,
    __: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
) -> Response:
    """Send a delivery again now."""
    try:
        await services.webhooks.retry(webhook_id, delivery_id)
    except (Conflict, NotFound) as fault:
        return await _refused(request, services, tools, webhook_id, fault)
    return _gone_to(webhook_id, "again")


def _state(query: WebhookQuery) -> DeliveryState | None:
    return DeliveryState(query.state) if query.state in list(DeliveryState) else None


def _gone_to(webhook_id: str, done: str) -> Response:
    return RedirectResponse(f"{PATH}/{webhook_id}?done={done}", SEE_OTHER)


def _no_webhook(request: Request, tools: Tools, webhook_id: str) -> Response:
    said = f"There is no webhook “{webhook_id[:40]}”."
    return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such webhook", detail=said)


async def _refused(
    request: Request, services: Services, tools: Tools, webhook_id: str, fault: Conflict | NotFound
) -> Response:
    """Say why nothing was done, on the webhook's page where it still has one."""
    try:
        webhook = await services.webhooks.get(webhook_id)
    except NotFound:
        return _no_webhook(request, tools, webhook_id)
    faults = {"": sentence(str(fault))}
    return await _page(request, services, tools, webhook=webhook, query=WebhookQuery(), faults=faults, status=CONFLICT)


async def _page(
    request: Request,
    services: Services,
    tools: Tools,
    *,
    webhook: Webhook,
    query: WebhookQuery,
    form: WebhookForm | None = None,
    faults: dict[str, str] | None = None,
    secret: str = "",
    status: int = INVALID,
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    before = row_place(query.before)
    found = await services.webhooks.deliveries(webhook.id, state=_state(query), before=before, limit=SHOWN + 1)
    shown, row = found[:SHOWN], webhook_row(webhook, zone, now)
    kept = {"state": query.state} if query.state else {}
    beyond = urlencode(kept | {"before": place_text(shown[-1].created_at, shown[-1].id)}) if shown else ""
    return tools.page(
        request,
        "pages/settings_webhook.html",
        status=status if faults else 200,
        row=row,
        form=form or typed(webhook),
        faults=faults or {},
        secret=secret,
        done=DONE.get(query.done, ""),
        sure=query.sure,
        state=query.state,
        states=[("", "any"), *((each.value, word) for each, (_, word) in STATES.items())],
        deliveries=[delivery_row(each, zone, now, is_enabled=row.is_enabled) for each in shown],
        older=f"{row.href}?{beyond}#deliveries" if len(found) > SHOWN else None,
        newest=f"{row.href}?{urlencode(kept)}#deliveries" if before else None,
        forms=[(each.value, text) for each, text in FORMS.items()],
        groups=type_groups(),
        gates=await services.gates.names(),
        zoned=zoned(now, zone),
    )
