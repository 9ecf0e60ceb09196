"""These drive real programs that are large to install: `make recipes` runs them, `make test` does not."""

import os

collect_ignore_glob = [] if os.environ.get("RECIPES") else ["test_*.py"]
