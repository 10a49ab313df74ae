# Two commands do all set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: help demo studio web web-check web-e2e test fast check lint types contracts format schema clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Rehearse needs Python 3.11 or newer; call: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP) ## make videos with the embedded theatre into demo/
	$(PY) examples/demo.py demo

studio: $(STAMP) ## open the desk in the browser
	$(VENV)/bin/rehearse studio

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm install --no-save
	@touch $@

web: web/node_modules/.package-lock.json ## build the desk's page (needs Node 20 or newer; the built page is committed)
	cd web && npm run types && npm run build

web-check: web/node_modules/.package-lock.json ## types, lint and unit tests of the desk's page (needs Node)
	cd web && npm run check && npm test

# A real Chromium (CHROMIUM=path) against the real server; screenshots go to web/e2e/artifacts.
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome) /usr/bin/chromium)
export CHROMIUM

web-e2e: $(STAMP) web $(CHROMIUM) ## a person's way through the desk, in a real Chromium (needs Node)
	cd web && npm run e2e

$(CHROMIUM):
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; fi
	@test -x $(CHROMIUM) || { echo "There is no Chromium at $(CHROMIUM); install it, or say CHROMIUM=path"; exit 1; }

lint: $(STAMP) ## style of the Python code
	$(VENV)/bin/ruff check src tests benchmarks examples
	$(VENV)/bin/ruff format --check src tests benchmarks examples

types: $(STAMP) ## types of the Python code
	$(VENV)/bin/mypy

contracts: $(STAMP) ## which room imports from which
	PYTHONPATH=src $(VENV)/bin/lint-imports

check: lint types ## lint and types only

# What a change breaks most often, in less than a minute on two cores.
FAST := tests/test_architecture.py tests/shot tests/resolve tests/planning tests/sampling/test_schedulers.py

fast: lint types ## what to run between two edits: lint, types and the quick tests
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 $(FAST)

test: check ## lint, types and all tests
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2

format: $(STAMP) ## put the code into the house style
	$(VENV)/bin/ruff format src tests benchmarks examples
	$(VENV)/bin/ruff check --fix src tests benchmarks examples

schema: $(STAMP) ## write the published schemas of the shot and of the API
	$(PY) -m rehearse.shot.schema docs/shot.schema.json
	$(PY) -m rehearse.studio.openapi docs/openapi.json

clean: ## remove what was built
	rm -rf demo build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
