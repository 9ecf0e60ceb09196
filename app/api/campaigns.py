"""/campaigns: what is to be sent, and how its release stands."""

from fastapi import APIRouter

router = APIRouter(prefix="/campaigns", tags=["campaigns"])
