# SPDX-License-Identifier: Apache-2.0
# `make demo` and `make test` are all a user needs; `make help` lists the rest.
# Python 3.11 or later, make and a package index are all that must be there.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PEOPLE ?= 3000
SEED   ?= 1
BENCH  ?= all
ROUNDS ?= 20
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo monitor drill test check generate check-generated check-contract freeze-contract lint types imports bench chaos conformance mutants clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Chukan needs Python 3.11 or later; got " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11.")'
	@echo "installing what Chukan needs into $(VENV), about a minute / 必要なものをインストールしています(1分ほど)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[people,console]'
	@# As pip does for the libraries; else every start compiles our modules anew where Python may not write (PYTHONDONTWRITEBYTECODE).
	@$(BIN)/python -m compileall -q protos server adapter clients/python monitoring
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	@echo "installing what tests and checks need / 試験に必要なものをインストールしています"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(VENV)/.installed ## the main job, end to end, on dummy people (PEOPLE=3000 SEED=1)
	$(BIN)/chukan demo --people $(PEOPLE) --seed $(SEED)

monitor: $(VENV)/.installed ## the demo under load, its console, Prometheus and Alertmanager beside it, until Ctrl-C (PEOPLE=3000)
	@$(BIN)/python scripts/monitor.py --people $(PEOPLE)

drill: $(VENV)/.installed ## inject faults, see that the shipped alerts reach a webhook; some five minutes (SCALE=120 SCENARIO=one)
	@$(BIN)/python scripts/drill.py $(if $(SCALE),--scale $(SCALE)) $(if $(SCENARIO),--scenario $(SCENARIO))

test: $(VENV)/.installed-dev ## every test; what lacks its tool says NOT RUN and why (JOBS=2 files at a time)
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile

check: check-generated check-contract lint types imports ## generated code, the contract, ruff, mypy, import rules

generate: $(VENV)/.installed-dev ## generate Python from protos/ and reference pages from code
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python scripts/generate.py
	$(BIN)/python scripts/reference.py
	$(BIN)/python scripts/dashboards.py

check-generated: $(VENV)/.installed-dev ## generated code and pages are fresh, protos are lint-clean
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python scripts/check_generated.py

check-contract: $(VENV)/.installed-dev ## nothing of the frozen contract is broken (docs/decisions, 14)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python scripts/contract_baseline.py

freeze-contract: $(VENV)/.installed-dev ## write protos/baseline.binpb from protos/
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python scripts/contract_baseline.py freeze

lint: $(VENV)/.installed-dev ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.installed-dev ## who may import whom
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev ## benchmarks against their floors (BENCH=start,exchange,exchange_batch,register,people,reset)
	$(BIN)/python -m tests.bench --only $(BENCH)

chaos: $(VENV)/.installed-dev ## kill server and adapter at random moments, check what was acknowledged (ROUNDS=20 SEED=1)
	$(BIN)/python -m tests.hostile.chaos --rounds $(ROUNDS) --seed $(SEED)

conformance: $(VENV)/.installed-dev ## judge a fresh emulator and our adapter by the conformance kit; reports in build/conformance
	$(BIN)/python -m tests.conformance conformance

mutants: $(VENV)/.installed-dev ## the kit must notice every deliberately broken server and client
	$(BIN)/python -m tests.conformance mutants

clean: ## remove what make made
	rm -rf $(VENV) build dist
