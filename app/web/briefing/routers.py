"""All routers of the briefing's room."""

from app.web.briefing.editing import router as editing
from app.web.briefing.pages import router as pages

ROUTERS = (pages, editing)
