"""/gates/{gate}/overrides: a gate's answer set by hand, for a time and a reason."""

from fastapi import APIRouter

router = APIRouter(prefix="/gates/{gate}/overrides", tags=["overrides"])
