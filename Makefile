# `make app` and `make test` do everything on a fresh machine; both are quick the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MAPS := relviz/ui/linked_map/frontend
# A newer installer than Debian's and no questions about its version.
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: app test check models screenshots docs bench bench-maps bench-live load soak frontend

app: $(VENV)/.app
	$(BIN)/relviz serve

test: $(VENV)/.test browser check $(MAPS)/node_modules/.ready
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not alone"
	$(BIN)/pytest -m alone

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

bench-maps: $(VENV)/.test browser
	$(BIN)/python -m benchmarks.maps

bench-live: $(VENV)/.test
	$(BIN)/python -m benchmarks.live

# Fifty visitors at once, in a few minutes; visitors one after the other for half an hour (SOAK='--interactions 500'
# for less). Both take place on this machine alone and write their figures to benchmarks/RESULTS.md.
load: $(VENV)/.test
	$(BIN)/python -m tests.load.load

soak: $(VENV)/.test
	$(BIN)/python -m tests.load.soak $(SOAK)

# The linked maps' bundle is committed, so that users need no Node; this builds it anew from its source.
frontend: $(MAPS)/node_modules/.ready
	cd $(MAPS) && npm run --silent build

$(MAPS)/node_modules/.ready: $(MAPS)/package.json $(MAPS)/package-lock.json
	@command -v npm >/dev/null || { echo "Building the linked maps needs Node 20 with npm; install Debian's packages nodejs and npm."; exit 1; }
	cd $(MAPS) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

screenshots: $(VENV)/.test browser
	$(BIN)/python -m tests.screenshots

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "relviz needs Python 3.11 or newer; name one with 'make PYTHON=/path/to/python3.11'."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; install Debian's package python3-venv."; exit 1; }

$(VENV)/.app: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet -r requirements.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.app
	$(BIN)/pip install --quiet -e '.[test,vision,text]'
	@touch $@

.PHONY: browser
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium; } || { echo "The browser tests need Chromium; install Debian's package chromium."; exit 1; }
