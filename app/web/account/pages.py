"""All that people do about themselves and each other, and the way from Settings to the first of its rooms."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from app.web.account.links import router as links
from app.web.account.me import router as me
from app.web.account.sign_in import router as sign_in
from app.web.account.users import router as users
from app.web.frame import SETTINGS
from app.web.visitors import Visitor

SEE_OTHER = 303

router = APIRouter()


@router.get("/settings")
async def show_settings(who: Visitor) -> Response:
    """Lead to the first room of the settings that the visitor may enter."""
    return RedirectResponse(next(room.path for room in SETTINGS if who.may(room.scope)), SEE_OTHER)


ROUTERS = (sign_in, links, router, me, users)
