# `make app` and `make test` do everything on a fresh machine; both are quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A newer installer than Debian's and no questions about its version.
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: app test check models screenshots docs bench

app: $(VENV)/.app
	$(BIN)/streamlit run app.py

test: $(VENV)/.test browser check
	$(BIN)/pytest

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

models: $(VENV)/.app
	$(BIN)/relviz train --all

docs: $(VENV)/.app
	$(BIN)/relviz methods --markdown > docs/methods.md

bench: $(VENV)/.test
	$(BIN)/pip install --quiet -e '.[bench]'
	$(BIN)/python -m benchmarks.run

screenshots: $(VENV)/.test browser
	$(BIN)/python -m tests.screenshots

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "relviz needs Python 3.11 or newer; name one with 'make PYTHON=/path/to/python3.11'."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; install Debian's package python3-venv."; exit 1; }

$(VENV)/.app: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet -r requirements.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.app
	$(BIN)/pip install --quiet -e '.[test]'
	@touch $@

.PHONY: browser
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium; } || { echo "The browser tests need Chromium; install Debian's package chromium."; exit 1; }
