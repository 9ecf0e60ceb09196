"""/webhooks: who is told, and what was delivered."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from app.api.auth import Admin
from app.api.bodies import read
from app.api.cursors import place_of
from app.api.deps import CursorQuery, LimitQuery, ServicesDep, answer
from app.api.paging import page_of
from app.api.preconditions import etag, refuse_unread, refused_when_changed
from app.api.schemas import component, headers, problems, takes
from app.api.webhook_shapes import (
    DeliveryPage,
    DeliveryShape,
    NewWebhook,
    WebhookChange,
    WebhookGiven,
    WebhookList,
    WebhookShape,
    delivery_shape,
    webhook_shape,
)
from app.core.event import Actor
from app.ports.keys import ApiKey
from app.ports.webhooks import DeliveryState, Webhook
from app.services.webhooks import WebhookPlan, plan_of

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
_ETAG = headers({"ETag": "its revision, to be sent as If-Match when changing it"})
WebhookPath = Annotated[str, Path(description="the webhook's id", examples=["whk_0123456789abcdef"])]
DeliveryPath = Annotated[str, Path(description="the delivery's id, which is its `webhook-id`")]
IfMatch = Annotated[str | None, Header(description="ETag of the revision read")]


@router.get(
    "", operation_id="listWebhooks", summary="List all webhooks", responses={200: {"model": WebhookList}, **problems()}
)
async def webhooks(services: ServicesDep, _: Admin) -> Response:
    """All webhooks without their secrets, oldest first, disabled ones too."""
    return answer({"items": [webhook_shape(webhook) for webhook in await services.webhooks.all()]})


@router.post(
    "",
    operation_id="createWebhook",
    summary="Make a webhook",
    status_code=201,
    responses={
        201: {"model": NewWebhook, "headers": headers({"Location": "the webhook"}) | _ETAG},
        **problems(409, 413, 415, 422),
    },
    openapi_extra=takes("application/json", schema=component("WebhookGiven")),
)
async def create(request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Makes a webhook and shows its secret, this once. Its host must have public addresses, or be allowed."""
    given = await read(request, WebhookGiven)
    plan = WebhookPlan(given.name, given.url, given.form, tuple(given.types), given.gate)
    made = await services.webhooks.create(plan, _actor(caller))
    where = {"Location": f"{request.url.path}/{made.id}", **etag(made.revision)}
    return answer(webhook_shape(made) | {"secret": made.secret}, 201, where)


@router.get(
    "/{webhook_id}",
    operation_id="getWebhook",
    summary="Read a webhook",
    responses={200: {"model": WebhookShape, "headers": _ETAG}, **problems(404)},
)
async def webhook(webhook_id: WebhookPath, services: ServicesDep, _: Admin) -> Response:
    """One webhook without its secret."""
    return _answer(await services.webhooks.get(webhook_id))


@router.patch(
    "/{webhook_id}",
    operation_id="changeWebhook",
    summary="Change a webhook",
    responses={200: {"model": WebhookShape, "headers": _ETAG}, **problems(404, 412, 413, 415, 422, 428)},
    openapi_extra=takes("application/json", schema=component("WebhookChange")),
)
async def change(
    webhook_id: WebhookPath, request: Request, services: ServicesDep, caller: Admin, if_match: IfMatch = None
) -> Response:
    """Changes the members that are sent. `enabled: false` ends what waits for it; `true` starts it again."""
    present = await services.webhooks.get(webhook_id)
    _refuse_unread(present, if_match)
    given = (await read(request, WebhookChange)).model_dump(exclude_unset=True)
    if "types" in given:
        given["types"] = tuple(given["types"])
    plan = replace(plan_of(present), **given)
    with refused_when_changed():
        changed = await services.webhooks.change(webhook_id, plan, _actor(caller), expected=present.revision)
    return _answer(changed)


@router.delete(
    "/{webhook_id}",
    operation_id="deleteWebhook",
    summary="Delete a webhook",
    status_code=204,
    responses=problems(404, 412),
)
async def delete(webhook_id: WebhookPath, services: ServicesDep, caller: Admin, if_match: IfMatch = None) -> Response:
    """Deletes a webhook with everything that was, or is still, to be delivered to it."""
    if if_match is not None:
        _refuse_unread(await services.webhooks.get(webhook_id), if_match)
    await services.webhooks.delete(webhook_id, _actor(caller))
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/secret",
    operation_id="rotateWebhookSecret",
    summary="Replace a webhook's secret",
    responses={200: {"model": NewWebhook, "headers": _ETAG}, **problems(404, 409)},
)
async def rotate(webhook_id: WebhookPath, services: ServicesDep, caller: Admin) -> Response:
    """Shows a new secret, this once. For 24 hours deliveries carry two signatures, by the old one and the new one."""
    rotated = await services.webhooks.rotate(webhook_id, _actor(caller))
    return answer(webhook_shape(rotated) | {"secret": rotated.secret}, headers=etag(rotated.revision))


@router.post(
    "/{webhook_id}/test",
    operation_id="testWebhook",
    summary="Send a test",
    status_code=202,
    responses={202: {"model": DeliveryShape, "headers": headers({"Location": "the deliveries"})}, **problems(404, 409)},
)
async def test(webhook_id: WebhookPath, request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Puts out an event of type `webhook.tested` to this webhook alone; 409 while it is disabled."""
    delivery = await services.webhooks.test(webhook_id, _actor(caller))
    return answer(delivery_shape(delivery), 202, {"Location": f"{request.url.path.removesuffix('/test')}/deliveries"})


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="listDeliveries",
    summary="Read a webhook's deliveries",
    responses={200: {"model": DeliveryPage, "headers": headers({"Link": "the next page"})}, **problems(404, 422)},
)
async def deliveries(
    *,
    webhook_id: WebhookPath,
    request: Request,
    services: ServicesDep,
    _: Admin,
    state: Annotated[DeliveryState | None, Query(description="only those in this state")] = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = 100,
) -> Response:
    """What was, or is still, to be delivered, newest first, in pages. Ended ones are kept for 30 days."""
    before = None if cursor is None else place_of(cursor)
    found = await services.webhooks.deliveries(webhook_id, state=state, before=before, limit=limit + 1)
    return page_of(request, found, limit, shape=delivery_shape, key=lambda each: (each.created_at, each.id))


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/retry",
    operation_id="retryDelivery",
    summary="Deliver again",
    status_code=202,
    responses={202: {"model": DeliveryShape}, **problems(404, 409)},
)
async def retry(webhook_id: WebhookPath, delivery_id: DeliveryPath, services: ServicesDep, _: Admin) -> Response:
    """Sends a delivery again now, under the same id. 409 for one that was withdrawn: what it says is out of date."""
    return answer(delivery_shape(await services.webhooks.retry(webhook_id, delivery_id)), 202)


def _actor(key: ApiKey) -> Actor:
    return Actor(key.id, key.name)


def _refuse_unread(present: Webhook, if_match: str | None) -> None:
    refuse_unread(f"webhook {present.id!r}", present.revision, if_match)


def _answer(webhook: Webhook) -> Response:
    return answer(webhook_shape(webhook), headers=etag(webhook.revision))
