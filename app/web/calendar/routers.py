"""All routers of the calendar's room."""

from app.web.calendar.feed import router as feed
from app.web.calendar.move import router as move
from app.web.calendar.pages import router as pages

ROUTERS = (pages, move, feed)
