# make demo   set up and show the whole thing on real data, on a local guild, no token needed
# make test   set up and run everything that CI runs
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest

.PHONY: help demo test check format quickstart bench bench-requests bench-size campaign sqlalchemy docs clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# The environment is made once, and again whenever the dependencies change.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "discosql needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(READY) ## Load the world's cities into a local guild and query them
	@$(BIN)/python examples/demo.py

test: check ## Everything that CI runs: formatting, lint, types, tests
	$(PYTEST) -n 2

check: $(READY) ## Formatting, lint and types only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## Rewrite files to the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

quickstart: $(READY) ## Follow docs/quickstart.md word for word, in an environment of its own
	$(PYTEST) -m "campaign or not campaign" tests/test_quickstart.py

bench: $(READY) ## Compare the speed of queries with SQLite, DuckDB and others
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m benchmarks

bench-requests: $(READY) ## Compare what work asks of Discord with discobase
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m benchmarks.traffic

bench-size: $(READY) ## Measure what tables of up to a million rows cost
	$(BIN)/python -m benchmarks.size

bench-import: $(READY) ## Measure how fast files of rows are imported
	$(BIN)/python -m benchmarks.loading

campaign: $(READY) ## The long tests: many seeds, large tables
	$(PYTEST) -m campaign -n 2

sqlalchemy: $(READY) ## SQLAlchemy's own test suite for dialects
	cd tests/sqlalchemy_suite && rm -f suite.disco* && PYTHONPATH=.:../.. ../../$(BIN)/python -m pytest -c setup.cfg suite.py

docs: $(READY) ## Build the documentation's site into site/; warnings are errors
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

clean: ## Remove the environment and caches
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis
