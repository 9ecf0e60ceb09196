"""All pages of the scoreboard."""

from app.web.scoreboard.pages import router as board
from app.web.scoreboard.value import router as value
from app.web.scoreboard.values import router as values

ROUTERS = (board, values, value)
