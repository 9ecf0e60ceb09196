"""All routes of the board's room."""

from app.web.now.logs import router as logs
from app.web.now.pages import router as pages
from app.web.now.sends import router as sends

ROUTERS = (pages, logs, sends)
