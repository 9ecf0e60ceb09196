"""Run by Airflow's own Python: runs the DAG of each file once, as `airflow dags test` does, and says how it ended.

usage: python run_dags.py FILE… ; each line of standard output that counts is `ended FILE STATE`.
"""

import importlib.util
import sys
from pathlib import Path


def run(path: Path) -> str:
    """Return the state in which the run of the file's DAG ended, or what kept it from running."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return str(module.holdfire_gate().test().state)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"\nended {name} {run(Path(name))}\n")
        sys.stdout.flush()
