# `make monday` sets up and runs the main job; `make test` sets up and passes the tests.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
HOME_DIR := $(or $(MONDAY_MIX_HOME),$(CURDIR)/var)

.PHONY: setup monday test lint types dbt-check bench bench-words bench-sound

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -c "from dagster_project.dbt_manifest import ensure_manifest; ensure_manifest()"
	$(BIN)/monday-mix init --home "$(HOME_DIR)"
	touch $(STAMP)

monday: setup
	$(BIN)/monday-mix demo --home "$(HOME_DIR)"

test: setup dbt-check
	# In the order of tests/conftest.py, so that the long end-to-end ones start first and the short ones fill up.
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder --durations 12

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m tests.benchmarks.mondays

bench-words: setup
	$(BIN)/python -m tests.benchmarks.words $(DATA)

bench-sound: setup
	$(BIN)/python -m tests.benchmarks.sound $(CLIPS) $(LABEL)

dbt-check: setup
	$(BIN)/monday-mix init --home "$(CURDIR)/var/dbt-check"
	cd warehouse && MONDAY_MIX_HOME="$(CURDIR)/var/dbt-check" ../$(BIN)/dbt build --quiet
