# Balcão: `make` alone says what there is. Needs Python 3.11 or newer and make; nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo up test check format bench sim screens channel clean

help: ## this help
	@printf 'Balcão\n\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nPYTHON=python3.12 make ... chooses the interpreter; args="..." is passed on to demo, test, bench, sim and screens.\n'

demo: $(READY) ## a shop with sandboxed channels, in a browser, in a minute
	$(BIN)/balcao demo $(args)

up: $(READY) ## the hub on this machine: database, web, workers and scheduler
	$(BIN)/balcao up

test: $(READY) ## the whole suite (args="-k stock -x" to narrow it)
	$(BIN)/pytest --numprocesses 3 --dist loadfile $(args)

check: $(READY) ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## what the tools can mend by themselves
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## how fast, against a baseline of the same run
	$(BIN)/python -m tests.bench $(args)

sim: $(READY) ## the seeded simulator (seeds=200 orders=1000, seed=7 for one story, or soak=100000)
	$(BIN)/python -m tests.sim $(if $(seeds),--seeds $(seeds),$(if $(seed),--seeds 1)) $(if $(orders),--orders $(orders)) $(if $(seed),--seed $(seed)) $(if $(soak),--soak $(soak)) $(args)

screens: $(READY) ## pictures of every page into docs/screens (needs chromium; args="pedido painel" for some)
	$(BIN)/python -m tests.browser.screens $(args)

channel: $(READY) ## a new channel's files (name=acme kind=marketplace facets=orders,stock)
	$(BIN)/python -m adapters.scaffold $(if $(name),--name $(name)) $(if $(kind),--kind $(kind)) $(if $(facets),--facets $(facets))

clean: ## remove the environment and caches; the database in .balcao stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Balcão needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "This Python cannot make environments: install python3-venv, or choose another PYTHON"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --quiet --editable '.[embedded,dev]' --constraint constraints.txt
	@touch $@
