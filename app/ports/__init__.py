"""What the services need from the outside world, each need one small protocol, in core's own types.

A module for each need. Adapters in app.stream, app.store, app.clocks and app.computing implement these; one contract
test suite per port runs on each. All instants are aware UTC.
"""
