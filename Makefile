# What people and CI type. `make` alone lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PORT ?= 8000
DATA ?= $(CURDIR)/.data
PYTHON ?= python3
PYTEST_ARGS ?=
VENV := .venv
CLIENTS := $(VENV)/clients
RUN := $(VENV)/bin/python
# Checks read the settings but use neither database nor mail.
SETTINGS := DJANGO_SETTINGS_MODULE=config.settings SECRET_KEY=only-for-checks PUBLIC_HOST=localhost PUBLIC_SCHEME=http \
	DEBUG=true DATABASE_URL=postgresql://localhost/none EMAIL_URL=smtp://localhost DATA=$(VENV)/checks \
	TEST_DATABASE_URL=postgresql://localhost/postgres?none

# Some surroundings forbid bytecode to be written. Then each of the many processes that are started compiles everything.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check bench chaos lock secret messages requirements requirements-dev

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: requirements  ## everything on this machine, with data (PORT=8000 DATA=.data)
	@exec $(RUN) -m config.demo --port "$(PORT)" --data "$(DATA)"

test: requirements-dev clients  ## the whole suite against a real PostgreSQL (PYTEST_ARGS=…)
	@exec $(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: requirements-dev  ## style, types, layers, templates, migrations, sizes, translations
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/djlint templates apps --lint --quiet
	$(VENV)/bin/djlint templates apps --check --quiet
	@$(SETTINGS) PYTHONWARNINGS=ignore $(RUN) manage.py makemigrations --check --dry-run
	@$(SETTINGS) $(RUN) -m pytest tests/test_sizes.py tests/test_architecture.py tests/test_translations.py
	$(SETTINGS) $(VENV)/bin/mypy apps config

bench: requirements-dev  ## compare speeds with the plain way, side by side
	@exec $(RUN) -m tests.bench

chaos: requirements-dev  ## kill workers, Redis and PostgreSQL while they work, and count what came of it
	@exec $(RUN) -m tests.chaos

lock: requirements-dev  ## write the locked requirements anew from the .in files
	$(VENV)/bin/pip-compile $(LOCK) --output-file=requirements.txt requirements.in
	$(VENV)/bin/pip-compile $(LOCK) --allow-unsafe --output-file=requirements-dev.txt requirements-dev.in
	cd tests/clients && $(CURDIR)/$(VENV)/bin/pip-compile $(LOCK) --allow-unsafe --pip-args="--only-binary :all:" \
		--output-file=requirements.txt requirements.in
	cd tests/clients && npm install --package-lock-only --omit-lockfile-registry-resolved=true --no-audit --no-fund

LOCK := --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--no-emit-options

secret:  ## print a random SECRET_KEY
	@$(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))'

messages: requirements-dev  ## extract and compile the translations (needs gettext)
	@$(SETTINGS) $(RUN) manage.py makemessages --locale de --no-obsolete --no-location --ignore $(VENV) --ignore "tests/*"
	@$(SETTINGS) $(RUN) manage.py compilemessages --locale de --ignore $(VENV)

# --- the virtual environment: installed again only when the locked files change ---------------------

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Resonanz needs Python 3.11 or newer; name one with PYTHON=…, e.g. make demo PYTHON=python3.12." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make $(VENV); on Debian install python3-venv, or free the folder for writing." >&2; exit 1; }

requirements: $(VENV)/bin/python
	@cat requirements.txt | cmp -s - $(VENV)/installed.txt || cat requirements.txt requirements-dev.txt | cmp -s - $(VENV)/installed.txt \
		|| $(MAKE) install LOCKED="requirements.txt"

requirements-dev: $(VENV)/bin/python
	@cat requirements.txt requirements-dev.txt | cmp -s - $(VENV)/installed.txt \
		|| $(MAKE) install LOCKED="requirements.txt requirements-dev.txt"

.PHONY: install
install:
	@echo "Installing $(LOCKED) …"
	@$(RUN) -m pip install --disable-pip-version-check --quiet --no-compile --require-hashes --only-binary :all: \
		$(foreach file,$(LOCKED),-r $(file)) >$(VENV)/pip.log 2>&1 || \
		{ grep -m 1 '^ERROR' $(VENV)/pip.log >&2; \
		  echo "A locked package cannot be installed here without a compiler ($$($(RUN) -VV | head -n 1)); details: $(VENV)/pip.log" >&2; exit 1; }
	@$(RUN) -m compileall -qq -j 0 $(VENV)/lib || true
	@cat $(LOCKED) >$(VENV)/installed.txt

# --- Delighted's clients, which tests/clients runs: each as its users have it, in a place of its own --

.PHONY: clients install-clients
clients:
	@cat tests/clients/requirements.txt tests/clients/package-lock.json | cmp -s - $(CLIENTS)/installed.txt \
		|| $(MAKE) install-clients

install-clients:
	@echo "Installing tests/clients …"
	@rm -rf $(CLIENTS) && $(PYTHON) -m venv $(CLIENTS)/tap
	@$(CLIENTS)/tap/bin/python -m pip install --disable-pip-version-check --quiet --no-compile --require-hashes \
		--only-binary :all: -r tests/clients/requirements.txt >$(CLIENTS)/pip.log 2>&1 || \
		{ grep -m 1 '^ERROR' $(CLIENTS)/pip.log >&2; echo "Details: $(CLIENTS)/pip.log" >&2; exit 1; }
	@mkdir $(CLIENTS)/node && cp tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)/node
	@if command -v npm >/dev/null; then cd $(CLIENTS)/node && npm ci --ignore-scripts --no-audit --no-fund --silent; \
		else echo "npm is missing: the Node client is not tested." >&2; fi
	@cat tests/clients/requirements.txt tests/clients/package-lock.json >$(CLIENTS)/installed.txt
