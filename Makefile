# Daily Papers. `make` lists the targets; README.md explains the first two.

# uv where it is on PATH, else in a private environment made with pip.
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
PYTHON ?= python3
# A mirror that pip is configured for serves uv too; certificates come from the system.
INDEX := $(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null || echo $$PIP_INDEX_URL)
export UV_PROJECT_ENVIRONMENT := .venv
export UV_SYSTEM_CERTS := true
RUN := .venv/bin/
# Some containers set it: each of the many processes of the demo and the tests would then compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-nightly test-mail mutations ci lint types imports templates migrations format

help: ## this list
	@grep -hE '^[a-z.-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: .venv/.demo ## the whole product on this machine: http://127.0.0.1:8000 (ARGS=--once to see one day and exit)
	@$(RUN)python manage.py demo $(ARGS)

test: .venv/.dev ## every test, on PostgreSQL with Redis, and what can differ on SQLite (ARGS="-k word" for some)
	@$(RUN)python -m tests $(ARGS)

test-fast: .venv/.dev ## the loop while you work: SQLite, no browser, no servers, small sizes
	@HYPOTHESIS_PROFILE=fast $(RUN)python -m pytest -n 2 -q -m "not mail and not slow and not browser and not long" --ignore tests/benchmarks --ignore tests/mutations $(ARGS)

test-nightly: .venv/.dev .venv/.node ## everything at its whole size: attacks, chaos, a calendar year, seeded faults; hours
	@TEST_SIZE=night $(RUN)python -m tests $(ARGS)
	$(RUN)python -m tests.chaos --readers 20000 --kills 50 --policy resend
	$(RUN)python -m tests.chaos --readers 20000 --kills 50 --policy hold
	$(RUN)python -m tests.calendar_year --zones 40 --days 365
	$(RUN)python -m tests.mutations

mutations: .venv/.dev ## seeded faults: does the suite notice each? (ARGS=--quick for eight of forty)
	@$(RUN)python -m tests.mutations $(ARGS)

test-mail: .venv/.dev .venv/.node ## the slow suite of the mails: browser, validators, linter, a real SMTP receiver
	@$(RUN)python -m pytest -n 2 --dist loadgroup -m mail tests/mail $(ARGS)

ci: lint types imports templates migrations test-mail test ## what .ci/run runs

lint: .venv/.dev ## ruff: rules and format; the lock file fits
	$(UV) lock --check --quiet
	$(RUN)ruff check .
	$(RUN)ruff format --check .

types: .venv/.dev ## mypy, strict
	$(RUN)mypy .

imports: .venv/.dev ## the laws of the house (.importlinter)
	$(RUN)lint-imports

templates: .venv/.dev ## djade and djlint
	git ls-files 'templates/*.html' | xargs $(RUN)djade --target-version 5.2 --check
	$(RUN)djlint templates --lint --quiet

migrations: .venv/.dev ## models and migrations agree
	DEBUG=true DATABASE_URL=sqlite://:memory: $(RUN)python manage.py makemigrations --check --dry-run

format: .venv/.dev ## ruff and djade put things in order
	$(RUN)ruff check --fix-only .
	$(RUN)ruff format .
	git ls-files 'templates/*.html' | xargs $(RUN)djade --target-version 5.2

# Without a mirror: uv.lock as it is. With one: the same versions and hashes, but from the mirror, since the lock
# names the files of the public index.
define install
$(if $(INDEX),$(UV) venv --allow-existing --quiet .venv && $(UV) export --frozen --quiet --no-default-groups --group $(1) --no-emit-project > .venv/$(1).txt && $(UV) pip install --quiet --compile-bytecode --python .venv/bin/python --index-url $(INDEX) --require-hashes -r .venv/$(1).txt,$(UV) sync --quiet --compile-bytecode --frozen --inexact --no-default-groups --group $(1))
endef

.venv/.demo: uv.lock | $(UV)
	@echo "Installing what the demo needs (once) ..."
	@$(call install,demo)
	@touch $@

.venv/.dev: uv.lock | $(UV)
	@echo "Installing what development needs (once) ..."
	@$(call install,dev)
	@touch $@

# The validators of mails are Node's. Without npm their tests are skipped, and say so.
.venv/.node: tests/mail/package-lock.json | .venv/.dev
	@if command -v npm >/dev/null; then npm ci --prefix tests/mail --silent --no-audit --no-fund && touch $@; fi

.uv/bin/uv:
	@$(PYTHON) -m venv .uv 2>/dev/null || { rm -rf .uv; echo "Python's venv is missing. Run: apt-get install python3-venv"; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv
