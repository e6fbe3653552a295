# Every target sets up what it needs. Python 3.11+ with venv, make and a package index are all that must be there;
# `interop` also needs npm and SoftHSM, `hsm` SoftHSM, `registry` docker-registry: `.ci/run` installs them from Debian.
PYTHON ?= python3
VENV := .venv
DEMO_VENV := .venv-demo
INTEROP_VENV := .venv-interop
INTEROP_NODE := tests/interop/node/node_modules
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes

.PHONY: help demo test check unit hsm registry interop interop-table bench fuzz docs lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(DEMO_VENV)/.done ## Build, sign and verify a real model, end to end
	@$(DEMO_VENV)/bin/aibom demo

test: check unit ## Everything that needs no other tool: format, lint, types, architecture, all tests

check: $(VENV)/.done ## Format, lint and strict types
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy

unit: $(VENV)/.done ## The tests alone
	$(BIN)/python -m pytest -n auto -q -m "not hsm and not registry"

hsm: $(VENV)/.done ## Sign with keys in a token of SoftHSM (Debian: softhsm2)
	@command -v softhsm2-util >/dev/null || { echo "make hsm needs SoftHSM (Debian: softhsm2)" >&2; exit 1; }
	$(BIN)/python -m pytest -q -n auto -m hsm

registry: $(VENV)/.done ## Push to and pull from a real registry (Debian: docker-registry); cosign judges, where it is installed
	@command -v docker-registry >/dev/null || { echo "make registry needs docker-registry (Debian)" >&2; exit 1; }
	$(BIN)/python -m pytest -q -n auto -m registry

interop: $(INTEROP_VENV)/.done $(INTEROP_NODE)/.done ## Other people's verifiers judge our signatures, and we judge theirs
	$(INTEROP_VENV)/bin/python -m pytest -q -n auto tests/interop

interop-table: $(INTEROP_VENV)/.done $(INTEROP_NODE)/.done ## The same, and write the tables in the README and docs again
	$(INTEROP_VENV)/bin/python -m pytest -q -n auto tests/interop/test_matrix.py --update-table
	$(INTEROP_VENV)/bin/python tools/generate_interop.py

bench: $(VENV)/.done ## Ratios to a floor, measured in one run; fails on a missed ratio
	$(BIN)/python tools/bench.py

fuzz: $(VENV)/.done ## A thousand bent releases of each kind, for some minutes
	AIBOM_FUZZ=1000 $(BIN)/python -m pytest -q -n auto tests/property/test_build.py

docs: $(VENV)/.done ## Write the generated pages again
	$(BIN)/python tools/generate_docs.py

lock: $(VENV)/.done ## Pin again what development and CI install (needs uv)
	sh tools/lock.sh

clean: ## Remove the environments
	rm -rf $(VENV) $(DEMO_VENV) $(INTEROP_VENV) $(INTEROP_NODE)

$(VENV)/.done: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(PIP_FLAGS) -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEMO_VENV)/.done: requirements/run.txt pyproject.toml $(shell find aibom attest verify specs -name '*.py' -o -name '*.toml' -o -name '*.json' 2>/dev/null)
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/pip install $(PIP_FLAGS) -r requirements/run.txt
	$(DEMO_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(INTEROP_VENV)/.done: requirements/interop.txt pyproject.toml
	$(PYTHON) -m venv $(INTEROP_VENV)
	$(INTEROP_VENV)/bin/pip install $(PIP_FLAGS) -r requirements/interop.txt
	$(INTEROP_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(INTEROP_NODE)/.done: tests/interop/node/package.json tests/interop/node/package-lock.json
	@command -v npm >/dev/null || { echo "sigstore-js comes with npm, which is not here: install Node, of any age" >&2; exit 1; }
	cd tests/interop/node && npm ci --silent
	@touch $@
