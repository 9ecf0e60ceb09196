"""Webhooks at `/settings/webhooks`: who is told of what; a secret is shown once, when it is made."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi import Form as FormBody
from pydantic import BaseModel
from starlette.responses import Response

from app.errors import Conflict, Invalid
from app.ports.webhooks import Webhook
from app.services.container import Services
from app.web.account.center import center_zone
from app.web.exports import Format, Sheet
from app.web.moments import zoned
from app.web.settings.faults import sentence
from app.web.settings.webhook_form import WebhookForm, plan_of_form, refused
from app.web.settings.webhook_view import COLUMNS, FORMS, PATH, cells, type_groups, webhook_row
from app.web.tools import ServicesDep, Tools, ToolsDep
from app.web.visitors import AdminVisitor, OwnForm

SEE_OTHER, CREATED, CONFLICT, INVALID = 303, 201, 409, 422
SHEET = Sheet("webhooks", COLUMNS)

router = APIRouter(prefix=PATH)


class WebhooksQuery(BaseModel):
    """The list's URL."""

    done: str = ""
    format: Format | None = None


@router.get("")
async def show_webhooks(
    request: Request, _: AdminVisitor, services: ServicesDep, tools: ToolsDep, query: Annotated[WebhooksQuery, Query()]
) -> Response:
    """Return all webhooks without their secrets, and the form that makes one."""
    if query.format:
        found = await services.webhooks.all()
        return SHEET.answer(query.format, [cells(webhook) for webhook in found], services.clock.now())
    done = "Deleted, with everything that was or was still to be delivered to it." if query.done == "deleted" else ""
    return await _list(request, services, tools, form=WebhookForm(), done=done)


@router.post("")
async def make_webhook(
    request: Request,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[WebhookForm, FormBody()],
) -> Response:
    """Make a webhook and show its secret, this once."""
    plan, faults = plan_of_form(form)
    if faults:
        return await _list(request, services, tools, form=form, faults=faults)
    try:
        made = await services.webhooks.create(plan, who.actor)
    except Invalid as fault:
        return await _list(request, services, tools, form=form, faults=refused(fault.problems))
    except Conflict as fault:
        return await _list(request, services, tools, form=form, faults={"": sentence(str(fault))})
    return await _list(request, services, tools, form=WebhookForm(), made=made)


async def _list(
    request: Request,
    services: Services,
    tools: Tools,
    *,
    form: WebhookForm,
    faults: dict[str, str] | None = None,
    made: Webhook | None = None,
    done: str = "",
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    return tools.page(
        request,
        "pages/settings_webhooks.html",
        status=INVALID if faults else CREATED if made else 200,
        rows=[webhook_row(webhook, zone, now) for webhook in await services.webhooks.all()],
        form=form,
        faults=faults or {},
        made=made,
        done=done,
        forms=[(each.value, text) for each, text in FORMS.items()],
        groups=type_groups(),
        gates=await services.gates.names(),
        zoned=zoned(now, zone),
    )
