# Finstage needs Python 3.11, make and git; everything else is installed into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NO_PACKAGES := { echo "Packages are missing; the lines above say why. Is the package index reachable?"; exit 1; }

# `make bench feed` and `make chaos up` run one of them.
ifneq (,$(filter bench chaos,$(firstword $(MAKECMDGOALS))))
NAME ?= $(word 2,$(MAKECMDGOALS))
ifneq (,$(NAME))
$(eval $(NAME):;@:)
endif
endif

# SHORT=1 only looks whether screenshots, chaos and measurements can still run.
SHORTLY := $(if $(SHORT),--short)

.PHONY: up test bench chaos lint screenshots smoke
.DEFAULT_GOAL := up

up: .venv/base.stamp
	@exec $(BIN)/python manage.py up

test: .venv/driver.stamp
	@exec $(BIN)/python -m tests

bench: .venv/bench.stamp
	@exec $(BIN)/python -m pytest tests/bench -s -m bench $(SHORTLY) $(if $(NAME),-k $(NAME))

# Jobs are waited for most of the time, and so is what only looks whether it still runs: two grounds at once.
ONE_BY_ONE := -s
SIDE_BY_SIDE := -n 2 --dist loadfile -rP --show-capture=stdout

chaos: .venv/driver.stamp
	@exec $(BIN)/python -m pytest tests/chaos $(if $(filter jobs,$(NAME))$(SHORT),$(SIDE_BY_SIDE),$(ONE_BY_ONE)) -m chaos $(SHORTLY) \
		$(if $(NAME),-k $(NAME))

lint: .venv/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

screenshots: .venv/dev.stamp
	@exec $(BIN)/python -m tests.browser.screenshots $(SHORTLY)

smoke: .venv/driver.stamp .venv/bench.stamp
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target screenshots chaos bench SHORT=1

.venv/bin/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Finstage needs Python 3.11 or newer: install it, or name it with make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/base.stamp: requirements/base.txt | .venv/bin/python
	@echo "Installing requirements/base.txt ..."
	@$(PIP) --only-binary :all: -r requirements/base.txt || $(NO_PACKAGES)
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/base.stamp
	@echo "Installing requirements/dev.txt ..."
	@$(PIP) -r requirements/dev.txt || $(NO_PACKAGES)
	@touch $@

.venv/bench.stamp: requirements/bench.txt .venv/dev.stamp
	@echo "Installing requirements/bench.txt ..."
	@$(PIP) -r requirements/bench.txt || $(NO_PACKAGES)
	@touch $@

# The driver of MariaDB has no wheels: it is compiled where a compiler and the headers are, and missed where they are not.
.venv/driver.stamp: requirements.txt .venv/dev.stamp
	@if command -v gcc >/dev/null && command -v pkg-config >/dev/null && pkg-config --exists libmariadb; then \
		$(PIP) -r requirements.txt && touch $@; fi || true
