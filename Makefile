# Two commands: `make run` serves the page, `make test` runs all checks. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint format benchmarks lock audit clean

run: $(VENV)/.runs
	@$(BIN)/python app.py

test: $(VENV)/.tests lint
	@$(BIN)/python -m tests.support.get_postgres
	@$(BIN)/python -m tests.support.get_nginx
	@$(BIN)/python -m tests.support.get_chromium
	$(BIN)/python -m pytest

lint: $(VENV)/.tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.tests
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

benchmarks: $(VENV)/.tests
	$(BIN)/python -m benchmarks

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

$(VENV)/.tests: requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.runs

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
