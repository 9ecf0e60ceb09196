"""The program, and what it would import only once it serves: for the process that children are forked from."""

import gc
from importlib import import_module

from argon2 import PasswordHasher

LOADED = (
    *("app.cli", "httpcore2", "truststore", "uvloop", "uvicorn.lifespan.on"),
    *("uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl"),
    *("uvicorn.protocols.websockets.websockets_sansio_impl", "websockets.server"),
)

# A hash as costly as real ones takes a fifth of a second, and tests make hundreds.
PasswordHasher.__init__.__defaults__ = (1, 8, 1, *(PasswordHasher.__init__.__defaults__ or ())[3:])
gc.disable()
for name in LOADED:
    import_module(name)
gc.collect()
gc.freeze()  # no child looks through all of that for garbage
gc.enable()
