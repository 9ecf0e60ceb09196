"""/webhooks: who is told, and what was delivered."""

from fastapi import APIRouter

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
