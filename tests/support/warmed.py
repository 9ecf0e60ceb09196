"""The program, and what it would import only once it serves: for the process that children are forked from."""

import gc
from importlib import import_module

LOADED = (
    *("app.cli", "httpcore2", "truststore", "uvloop", "uvicorn.lifespan.on"),
    *("uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl"),
    *("uvicorn.protocols.websockets.websockets_sansio_impl", "websockets.server"),
)

gc.disable()
for name in LOADED:
    import_module(name)
gc.collect()
gc.freeze()  # no child looks through all of that for garbage
gc.enable()
