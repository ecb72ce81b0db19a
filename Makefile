# Two commands: `make run` serves the page, `make test` runs all checks. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCRIPT_CHECKS := tests/assets
CORES := $(shell getconf _NPROCESSORS_ONLN)
# One more than there are cores, since tests of browsers and servers wait for much of their time; four at the most.
SIDE_BY_SIDE := --numprocesses=$(shell echo $$(($(CORES) < 4 ? $(CORES) + 1 : 4))) --dist=loadgroup
NPM_PACKAGES := $(SCRIPT_CHECKS)/node_modules

# Where the environment says so, Python would compile all sources anew for each worker of the tests, and each server.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check coverage servers lint format benchmarks docs lock audit clean

run: $(VENV)/.runs
	@$(BIN)/python app.py

test: servers lint
	$(BIN)/node --test '$(SCRIPT_CHECKS)/**/*.test.mjs'
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

# What needs no server and no long time, for use while writing.
check: $(VENV)/.tests
	$(BIN)/node --test '$(SCRIPT_CHECKS)/**/*.test.mjs'
	$(BIN)/python -m pytest --quiet $(SIDE_BY_SIDE) -m "not slow"

coverage: servers
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term-missing:skip-covered

servers: $(VENV)/.tests
	@$(BIN)/python -m tests.support.get_postgres
	@$(BIN)/python -m tests.support.get_nginx
	@$(BIN)/python -m tests.support.get_chromium

lint: $(VENV)/.tests $(NPM_PACKAGES)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/node $(NPM_PACKAGES)/eslint/bin/eslint.js --config $(SCRIPT_CHECKS)/eslint.config.mjs assets tests
	$(BIN)/node $(NPM_PACKAGES)/typescript/bin/tsc --project $(SCRIPT_CHECKS)

format: $(VENV)/.tests
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

benchmarks: $(VENV)/.tests
	$(BIN)/python -m benchmarks

# Writes what the documentation takes from docstrings.
docs: $(VENV)/.tests
	$(BIN)/python -m docs.write

lock: $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --custom-compile-command "make lock" --upgrade requirements.txt --output-file requirements.lock

# Needs the network: asks about known vulnerabilities of what requirements.lock names. What the database does not know
# is no good news, hence --strict.
audit: $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python -m pip_audit --strict --disable-pip --require-hashes --requirement requirements.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Squiggle needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.tests: requirements-dev.txt requirements-cluster.txt requirements-formats.txt requirements-remote.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.runs

$(NPM_PACKAGES)/.installed: $(SCRIPT_CHECKS)/package-lock.json | $(VENV)/.tests
	$(BIN)/npm ci --silent --prefix $(SCRIPT_CHECKS)
	@touch $@

clean:
	rm -rf $(VENV) $(NPM_PACKAGES) .pytest_cache .mypy_cache .ruff_cache .hypothesis
