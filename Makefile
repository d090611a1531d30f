# Everything that a developer or an operator of one machine types. Needs Python 3.11+, make and git; fetches the rest.
.DEFAULT_GOAL := help
.PHONY: help setup run shell test test-faults check bench bench-large reset lock

PYTHON ?= python3
PY := .venv/bin/python
LOCAL := $(PY) -m portal.local

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "  %-17s %s\n", $$1, $$2}'

setup: ## make .venv and install the pinned requirements, if anything changed
	@$(PYTHON) -m portal.local setup

run: setup ## the whole portal on http://127.0.0.1:8000 (PORT=… to choose); Ctrl-C stops all of it
	@exec $(LOCAL) up --with-parent

shell: setup ## Django shell in the running portal; reads standard input
	@exec $(LOCAL) exec -- $(PY) manage.py shell $(ARGS)

test: setup ## the whole test suite; ARGS="tests/billing -k paid" for a part
	@CHROME="$$($(LOCAL) browser)" && export CHROME && exec $(LOCAL) exec --fresh -- $(PY) -m pytest $(ARGS)

test-faults: setup ## the portal under a hundred kills, restarts and freezes: half an hour
	@exec $(LOCAL) exec --fresh -- $(PY) -m pytest -m faults tests/faults $(ARGS)

check: setup ## style, types, production settings, migrations, translations
	@exec $(LOCAL) exec --fresh -- $(LOCAL) check

bench: setup ## benchmarks: a table here and JSON in var/bench
	@exec $(LOCAL) exec --fresh -- $(PY) -m tests.benchmarks $(ARGS)

bench-large: setup ## the row of a million customers: ten minutes
	@exec $(LOCAL) exec --fresh -- $(PY) -m tests.benchmarks lookup_large

reset: setup ## throw away what the embedded database keeps (only while nothing runs)
	@exec $(LOCAL) reset

lock: ## install changed pins and write down the versions of everything that came with them
	@sed '/^-/d' requirements.txt requirements-local.txt | $(PY) -m pip install -q -r /dev/stdin
	@{ head -n 1 requirements-lock.txt && $(PY) -m pip freeze; } > requirements-lock.new
	@mv requirements-lock.new requirements-lock.txt
