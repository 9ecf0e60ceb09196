"""All routes of the planning room."""

from app.web.plan.figure import router as figure
from app.web.plan.pages import router as pages
from app.web.plan.taking import router as taking

ROUTERS = (pages, figure, taking)
