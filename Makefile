# What a person or CI runs; every target sets up what is missing first (see scripts/setup).
# Go and Orchestrion of .tools come first on the PATH; a Go that runs here never fetches another one.
.DEFAULT_GOAL := help
.PHONY: help setup test check demo bench long faults clean

# Without HOME neither Go nor pip finds its cache.
export HOME ?= $(shell bash -c 'cd ~ && pwd')
RUN := PATH="$(CURDIR)/.tools/bin:$(CURDIR)/.tools/go/bin:$$PATH" GOTOOLCHAIN=local
ARGS ?=

help:
	@echo 'make demo                 a short story on real builds of examples/greeter'
	@echo 'make demo PROJECT=path    the daemon on a project of yours, until Ctrl-C'
	@echo 'make test                 all tests, real Orchestrion builds included (ARGS="-k name" for some)'
	@echo 'make check                ruff, mypy, import-linter'
	@echo 'make bench | long | faults   benchmarks | tests of many minutes | tests that want root, strace, logrotate'
	@echo 'make setup | clean        set up what is missing | remove all that was set up'

setup:
	@bash scripts/setup

test: setup
	@$(RUN) .venv/bin/pytest $(ARGS)

check: setup
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

demo: setup
	@$(RUN) .venv/bin/python scripts/demo.py $(if $(PROJECT),--project "$(PROJECT)")

bench: setup
	@$(RUN) .venv/bin/python -m benchmarks --page docs/performance.md $(ARGS)

long: setup
	@$(RUN) .venv/bin/pytest -m long $(ARGS)

faults: setup
	@$(RUN) .venv/bin/pytest -m faults $(ARGS)

clean:
	rm -rf .venv .tools .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
