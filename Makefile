# tracker-sync: everything a person does here is a target; `make help` lists them.
# Needs Python 3.11 or newer and the package registries, nothing else.

PYTHON ?= python3
BIN := .venv/bin
# `include` alone is on the path, never the repository's root as well.
export PYTHONPATH := include
CODE := dags plugins include demo bench tests

.DEFAULT_GOAL := help
.PHONY: help demo demo-ui install install-dev test bench contract lint types imports check deep live requirements clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

demo: install ## Copy a district from one sandbox DHIS2 to another, three times, and compare
	PYTHONPATH=include:demo $(BIN)/python -P -m tracker_sync_demo

demo-ui: install ## The same in Airflow's own UI, with the servers left running
	PYTHONPATH=include:demo $(BIN)/python -P -m tracker_sync_demo --ui

install: .venv/installed ## Make .venv with what tracker-sync needs to run

install-dev: .venv/installed-dev ## Make .venv with what changing it needs besides

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

test: install-dev ## Run the tests
	$(BIN)/pytest -n 2 --dist loadgroup

bench: install ## Measure speed and memory against their bars; all cases, or CASES="listing state"
	@PYTHONPATH=include:bench $(BIN)/python -P -m tracker_sync_bench $(CASES)

contract: install-dev ## Replay what real servers answered against the sandbox of each version
	PYTHONPATH=include:tests $(BIN)/python -m sandbox.agreement

lint: install-dev ## Look for what ruff finds
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: install-dev ## Check the types
	$(BIN)/mypy $(CODE)

imports: install-dev ## Check that imports point inward
	PYTHONPATH=include:plugins:bench $(BIN)/lint-imports

check: lint types imports test ## All of it, as CI runs it

deep: lint types imports ## The same with every seed; takes longer
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest -n 2 --dist loadgroup --timeout=3000

live: install-dev ## Try the client on a real server: DHIS2_LIVE_URL, DHIS2_LIVE_USER, DHIS2_LIVE_PASSWORD
	@test -n "$$DHIS2_LIVE_URL" || { echo "Set DHIS2_LIVE_URL, DHIS2_LIVE_USER and DHIS2_LIVE_PASSWORD first"; exit 1; }
	$(BIN)/pytest -k live tests/client/test_dialogue.py

requirements: install-dev ## Pin the newest of everything in requirements*.in, with hashes
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --universal --python-version 3.11 --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --universal --python-version 3.11 --no-header -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## Remove what the targets made, but for .venv
	rm -rf .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
