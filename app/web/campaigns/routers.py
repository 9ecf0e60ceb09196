"""All routes of the campaigns' room."""

from app.web.campaigns.changing import router as changing
from app.web.campaigns.pages import router as pages
from app.web.campaigns.steps import router as steps

ROUTERS = (pages, changing, steps)
