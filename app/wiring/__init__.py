"""The one place where services are built."""

from app.wiring.build import build_services as build_services
