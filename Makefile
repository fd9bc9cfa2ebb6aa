# make demo and make test do their own set-up: a Python >= 3.11, make and git are all they need.
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PYTEST_ARGS ?=

# The first interpreter that is new enough; choose another with `make PYTHON=/path/to/python test`.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$name; break; }; done)

export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench docs clean setup

help:  ## say what can be made
	@grep -E '^[a-z]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: $(VENV)/.core  ## train a team, compare it with others, draw it at play
	@$(BIN)/python -m coterie.cli demo

test: lint  ## format check, lint, types, all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.dev  ## format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.docs  ## build the documentation site into build/docs; a broken link or an undocumented name fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "open build/docs/index.html"

bench: $(VENV)/.core  ## measure this machine: throughput, and the update's share of the GEMM peak
	@$(BIN)/python -m coterie.cli bench

setup: $(VENV)/.dev  ## install everything for development into .venv

clean:  ## remove .venv, caches and build outputs; runs stay
	rm -rf $(VENV) .cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are younger than what they were made from, so a second call installs nothing.
$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 with venv was found: install one (Debian: apt install python3 python3-venv), or say make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.python pyproject.toml constraints.txt
	@echo "installing coterie and what it needs into $(VENV) (once, about a minute)"
	@$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	@echo "installing what builds the documentation into $(VENV) (once)"
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[docs]'
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "installing the development tools into $(VENV) (once)"
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $@
