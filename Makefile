# Everything a developer types. Needs Python 3.11 or newer and make; the rest is set up in .venv from requirements.lock.
# `make demo` and `make test` work from a fresh clone; a second run starts at once (the stamp .venv/.installed).

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-all lint format bench lock clean

# The first of these that is 3.11 or newer. Another one: make PYTHON=/path/to/python3.12 test
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	if command -v $$python >/dev/null 2>&1 && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
# in the order of tests/conftest.py, not by the number of tests in a file
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder
# Some images set it: each of the hundreds of processes that the tests start would compile the server anew.
unexport PYTHONDONTWRITEBYTECODE
# Arguments of the demo, the server, the benchmarks: make demo ARGS='--rate 10'
ARGS ?=

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## .venv with everything from requirements.lock

demo: $(VENV)/.installed ## the server, a shop of five services that sends to it, and some customers; Ctrl-C stops all
	@PYTHONPATH=demo exec $(BIN)/python -m shop $(ARGS)

serve: $(VENV)/.installed ## the server alone, its data in spanglass-data/local
	@exec $(BIN)/spanglass serve --data spanglass-data/local $(ARGS)

test: $(VENV)/.installed ## the tests that take seconds
	@echo 'Left out: slow tests, pages in Chromium, the real Collector. Run them with: make test-all (CONTRIBUTING.md: what they need)'
	$(PYTEST) -q -m "not slow and not browser and not collector" $(ARGS)

test-all: $(VENV)/.installed ## all tests: also slow ones, pages in Chromium, the real Collector
	$(PYTEST) -q $(ARGS)

lint: $(VENV)/.installed ## style, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed ## put the code into the project's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed ## the benchmarks; results in benchmarks/out
	$(BIN)/python benchmarks/run.py $(ARGS)

# hatchling and editables are what `pip install -e .` builds with: locked too, so that nothing is fetched unpinned.
lock: ## resolve the dependencies anew and write requirements.lock
	@test -x build/lock/bin/uv || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv; }
	printf 'editables>=0.5\nhatchling>=1.27\n' | build/lock/bin/uv pip compile --quiet --upgrade --universal \
		--all-extras --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--no-emit-package spanglass --no-emit-package spanglass-server \
		--output-file requirements.lock pyproject.toml backend/pyproject.toml -

clean: ## remove what was built, cached and recorded; .venv stays
	rm -rf build dist spanglass-data benchmarks/data benchmarks/out
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "make: $(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/.installed: requirements.lock pyproject.toml backend/pyproject.toml | $(BIN)/python
	@echo "Installing what requirements.lock names ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
		--editable . --editable backend
	@touch $@
