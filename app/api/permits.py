"""/permits: a reserved share of the headroom, and its life."""

from fastapi import APIRouter

router = APIRouter(prefix="/permits", tags=["permits"])
