# holdfire. Two commands: `make demo` shows it, `make test` proves it. Both need Python 3.11 or newer and make, no more.
SHELL := /bin/bash
BIN := .venv/bin
# One test process per core: more would share the cores that the servers under test need.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadscope
# The programs that tests start read what is compiled already, also where the environment keeps Python from writing it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve test check lint bench soak soak-browser recipes docs fmt lock clean run-venv dev-venv bench-venv

help: ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: run-venv ## a simulated contact center at 60x on http://127.0.0.1:8000; Ctrl-C ends it
	@exec $(BIN)/holdfire demo $(ARGS)

serve: run-venv ## holdfire itself, with the settings of the environment and holdfire.toml
	@exec $(BIN)/holdfire serve $(ARGS)

test: dev-venv ## everything the tests need, then the whole suite
	@scripts/system_packages.sh test
	@scripts/real_programs.sh
	@$(PYTEST) $(ARGS)

check: lint ## under a minute: linters, types, import rules, unit and property tests
	@$(PYTEST) -q tests/unit tests/property $(ARGS)

lint: dev-venv ## linters, types and import rules only
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/codespell
	@$(BIN)/lint-imports --no-logo >.import_linter_report 2>&1 || { cat .import_linter_report; exit 1; }
	@$(BIN)/mypy

bench: bench-venv ## measure the hot paths and write docs/performance.md; takes a few minutes
	@scripts/system_packages.sh bench
	@$(BIN)/python -m bench $(ARGS)

soak: dev-venv ## 20 minutes: a simulated week with faults, 500 sockets and 20 campaigns, after which nothing has grown
	@SOAK_HOURS=168 SOAK_SOCKETS=500 SOAK_CAMPAIGNS=20 SOAK_WALL_MINUTES=19 \
		$(BIN)/python -m pytest -rP tests/integration/test_soak.py $(ARGS)

soak-browser: dev-venv ## two hours: a day of a board's frames, and a socket kept open, in a browser that must not grow
	@scripts/system_packages.sh test
	@SOAK_FRAMES=17280 SOAK_MINUTES=120 $(BIN)/python -m pytest tests/browser/test_soak.py $(ARGS)

recipes: dev-venv ## the recipes for tools that ask, in the real tools: a quarter of an hour, 2 GB; needs Node.js 20, g++
	@scripts/recipes.sh node-red
	@scripts/recipes.sh airflow
	@scripts/recipes.sh n8n
	@RECIPES=1 $(BIN)/python -m pytest tests/recipes $(ARGS)

docs: dev-venv ## draw the state machines of docs/explanation from the code's tables, and the dashboards of docker/grafana
	@$(BIN)/python -m scripts.draw_state_machines
	@$(BIN)/python -m scripts.draw_dashboards

fmt: dev-venv ## format the code and repair what the linter can
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format .

lock: ## write requirements/*.txt anew (needs uv); ARGS=--upgrade for newer versions
	@scripts/lock.sh $(ARGS)

clean: ## remove .venv and everything that tools left behind
	@rm -rf .venv .venv-mailman .recipes_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .import_linter_report \
		artifacts build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

run-venv:
	@scripts/venv.sh run

dev-venv:
	@scripts/venv.sh dev

bench-venv:
	@scripts/venv.sh bench
