# Two commands do all set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: help demo test check lint types format schema clean

help:
	@echo "make demo    make videos with the embedded theatre into demo/"
	@echo "make test    lint, types and all tests"
	@echo "make check   lint and types only"
	@echo "make format  put the code into the house style"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Rehearse needs Python 3.11 or newer; call: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP)
	$(PY) examples/demo.py demo

lint: $(STAMP)
	$(VENV)/bin/ruff check src tests benchmarks examples
	$(VENV)/bin/ruff format --check src tests benchmarks examples

types: $(STAMP)
	$(VENV)/bin/mypy

check: lint types

test: check
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2

format: $(STAMP)
	$(VENV)/bin/ruff format src tests benchmarks examples
	$(VENV)/bin/ruff check --fix src tests benchmarks examples

schema: $(STAMP)
	$(PY) -m rehearse.shot.schema docs/shot.schema.json

clean:
	rm -rf demo build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
