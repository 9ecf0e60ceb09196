"""/campaigns: what the contact center must know of a campaign, and who has read it."""

from fastapi import APIRouter

router = APIRouter(prefix="/campaigns", tags=["campaigns"])
