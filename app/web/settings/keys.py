"""API keys at `/settings/keys`: made, shown once, answered each in its way, revoked."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from app.core.client_profile import PLAIN
from app.errors import Invalid, NotFound
from app.ports.keys import ApiKey
from app.services.container import Services
from app.services.profiles import changed_profile
from app.web.account.center import center_zone
from app.web.exports import Format, Sheet
from app.web.moments import zoned
from app.web.settings import key_form as forms
from app.web.settings.faults import faults_of
from app.web.settings.key_form import KeyForm, ProfileForm
from app.web.settings.key_view import COLUMNS, PATH, cells, key_row
from app.web.tools import NOT_FOUND, ServicesDep, Tools, ToolsDep
from app.web.visitors import AdminVisitor, OwnForm

SEE_OTHER, CREATED, INVALID = 303, 201, 422
SHEET = Sheet("keys", COLUMNS)
DONE = {"profile": "Saved. Its holder is answered so from now on.", "revoked": "Revoked. It opens nothing from now on."}

router = APIRouter(prefix=PATH)


class KeysQuery(BaseModel):
    """The list's URL. scope: one that is already ticked for a new key."""

    scope: str = ""
    format: Format | None = None


class KeyQuery(BaseModel):
    """What was just done with a key, and whether somebody is about to revoke it."""

    done: str = ""
    sure: str = ""


@router.get("")
async def show_keys(
    request: Request, _: AdminVisitor, services: ServicesDep, tools: ToolsDep, query: Annotated[KeysQuery, Query()]
) -> Response:
    """Return all keys without their secrets, revoked ones too, and the form that makes one."""
    if query.format:
        return SHEET.answer(query.format, [cells(key) for key in await services.keys.all()], services.clock.now())
    return await _list(request, services, tools, form=KeyForm(scopes=[query.scope] if query.scope else []))


@router.post("")
async def make_key(
    request: Request,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[KeyForm, Form()],
) -> Response:
    """Make a key and show it, this once."""
    wanted = forms.read_key(form, center_zone(services))
    if wanted.faults:
        return await _list(request, services, tools, form=form, faults=wanted.faults)
    try:
        profile = changed_profile(PLAIN, wanted.profile)
        made, token = await services.keys.create(
            form.name.strip(), form.scopes, form.env.strip(), wanted.expires_at, profile=profile, actor=who.actor
        )
    except Invalid as fault:
        return await _list(request, services, tools, form=form, faults=faults_of(fault.problems, forms.FIELDS))
    return await _list(request, services, tools, form=KeyForm(), made=(made, token))


@router.get("/{key_id}")
async def show_key(
    *,
    request: Request,
    key_id: str,
    _: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[KeyQuery, Query()],
) -> Response:
    """Return one key, how its holder is answered, and the way to revoke it."""
    try:
        key = await services.keys.find(key_id)
    except NotFound:
        return _no_key(request, tools, key_id)
    form = forms.typed_profile(key.profile)
    done, sure = DONE.get(query.done, ""), bool(query.sure)
    return _one(request, services, tools, key=key, form=form, done=done, sure=sure)


@router.post("/{key_id}/profile")
async def change_profile(
    *,
    request: Request,
    key_id: str,
    _: OwnForm,
    who: AdminVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[ProfileForm, Form()],
) -> Response:
    """Change how a key's holder is answered."""
    try:
        key = await services.keys.find(key_id)
        wanted = forms.read_profile(form)
        if wanted.faults:
            return _one(request, services, tools, key=key, form=form, faults=wanted.faults)
        await services.keys.change_profile(key_id, wanted.profile, actor=who.actor)
    except NotFound:
        return _no_key(request, tools, key_id)
    except Invalid as fault:
        return _one(request, services, tools, key=key, form=form, faults=faults_of(fault.problems, forms.FIELDS))
    return RedirectResponse(f"{PATH}/{key_id}?done=profile", SEE_OTHER)


@router.post("/{key_id}/revoke")
async def revoke(
    request: Request, key_id: str, _: OwnForm, who: AdminVisitor, services: ServicesDep, tools: ToolsDep
) -> Response:
    """Revoke a key, for good."""
    try:
        await services.keys.revoke(key_id, actor=who.actor)
    except NotFound:
        return _no_key(request, tools, key_id)
    return RedirectResponse(f"{PATH}/{key_id}?done=revoked", SEE_OTHER)


def _no_key(request: Request, tools: Tools, key_id: str) -> Response:
    said = f"There is no key “{key_id[:40]}”."
    return tools.page(request, "pages/problem.html", status=NOT_FOUND, title="No such key", detail=said)


def _one(
    request: Request,
    services: Services,
    tools: Tools,
    *,
    key: ApiKey,
    form: ProfileForm,
    faults: dict[str, str] | None = None,
    done: str = "",
    sure: bool = False,
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    return tools.page(
        request,
        "pages/settings_key.html",
        status=INVALID if faults else 200,
        row=key_row(key, zone, now),
        form=form,
        faults=faults or {},
        done=done,
        sure=sure,
        choices=(forms.HOLD_CHOICES, forms.UNKNOWN_CHOICES, forms.UNIT_CHOICES),
        meanings=forms.SCOPE_MEANINGS,
        zoned=zoned(now, zone),
    )


async def _list(
    request: Request,
    services: Services,
    tools: Tools,
    *,
    form: KeyForm,
    faults: dict[str, str] | None = None,
    made: tuple[ApiKey, str] | None = None,
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    rows = [key_row(key, zone, now) for key in reversed(await services.keys.all())]
    return tools.page(
        request,
        "pages/settings_keys.html",
        status=INVALID if faults else CREATED if made else 200,
        rows=sorted(rows, key=lambda row: not row.is_good),
        form=form,
        faults=faults or {},
        made=made,
        scopes=forms.scope_choices(),
        choices=(forms.HOLD_CHOICES, forms.UNKNOWN_CHOICES, forms.UNIT_CHOICES),
        zoned=zoned(now, zone),
    )
