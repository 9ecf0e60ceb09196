"""/campaigns.ics: campaigns in people's own calendars."""

from fastapi import APIRouter

router = APIRouter(prefix="", tags=["calendar"])
