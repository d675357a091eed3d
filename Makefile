# RAXE Serverless. `make help` lists the targets; every target makes the set-up that it needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that is new enough; `make PYTHON=/path/to/python3.13 ...` overrides it.
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$candidate; break; fi; done)
TORCH_VERSION := 2.13.0
UV_VERSION := 0.13.8
STAGE ?= dev
ARCH ?=
BUILD_DIR ?= .aws-sam/build
DATA ?= ../shared/data
QUANTIZATION ?= int8
LOCKED := --require-hashes --no-deps --only-binary=:all: --disable-pip-version-check --quiet --quiet

# Anyone's text: it goes to the program through the environment, never through a shell's parser.
# `value` keeps make from expanding a `$` in it.
unexport TEXT
export RAXE_SCAN_TEXT = $(value TEXT)

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -----------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: .venv/.ready ## The virtual environment .venv, from the hash-locked requirements

# The stamp is a copy of the lock: a lock that was only touched (a checkout, `make lock`) installs nothing.
.venv/.locked: requirements/dev.txt
	@if cmp --silent $< $@; then touch $@; exit 0; fi; \
	if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed; pass PYTHON=/path/to/python3" >&2; exit 1; fi; \
	echo "Setting up .venv (once, about a minute)" >&2; \
	$(PYTHON) -m venv --clear .venv; \
	.venv/bin/python -m pip install $(LOCKED) --no-compile -r $< >&2; \
	cp $< $@

# Apart from the lock, so that an edit of pyproject.toml does not install everything again.
.venv/.ready: .venv/.locked pyproject.toml
	@.venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# --- use --------------------------------------------------------------------------------------------------------------

.PHONY: scan
scan: .venv/.ready ## Scan one text through the Lambda emulator: make scan TEXT="..."
	@.venv/bin/python -m functions.local.scan

.PHONY: serve
serve: .venv/.ready ## The stack's routes on http://127.0.0.1:8000, without an AWS account
	@.venv/bin/python -m functions.local.serve

# --- check ------------------------------------------------------------------------------------------------------------

.PHONY: test
test: .venv/.ready ## The whole test suite, the built stack included
	.venv/bin/python -m pytest -q

.PHONY: quick
quick: .venv/.ready ## The test suite without the slow part
	.venv/bin/python -m pytest -q -m "not slow"

.PHONY: check
check: .venv/.ready ## Format, lint, types, layers, corpus, template
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/raxe-ml corpus check
	SAM_CLI_TELEMETRY=0 .venv/bin/sam validate --lint --region eu-west-1

.PHONY: format
format: .venv/.ready ## Rewrite the code in house style
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.PHONY: bench
bench: .venv/.ready ## The budget table: measured figures beside each budget
	.venv/bin/python -m tests.bench.run

.PHONY: bench-peers
bench-peers: .venv/.ready .venv-peers/.ready ## Ours beside another guard over the same rows: make bench-peers [ROWS=file.jsonl]
	.venv/bin/python -m tests.bench.peers $(ROWS)

.venv-peers/.ready: requirements/peers.txt
	@$(PYTHON) -m venv --clear .venv-peers
	@.venv-peers/bin/python -m pip install $(LOCKED) --no-compile -r $< >&2
	@cp $< $@

# --- deploy -----------------------------------------------------------------------------------------------------------

# One name of each stage from here on: that of samconfig.toml.
SAM_STAGE = $(STAGE:production=prod)

.PHONY: build
build: .venv/.ready ## Build the stack without Docker, for STAGE's architecture or ARCH=arm64|x86_64
	SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/sam build --config-env $(SAM_STAGE) \
		--build-dir $(BUILD_DIR) $(if $(ARCH),--parameter-overrides Architecture=$(ARCH))

.PHONY: validate
validate: .venv/.ready ## The checklist before a deployment: make validate [MODEL=id] [FLAGS="--json --strict"]
	@.venv/bin/python -m tests.validation.run $(if $(MODEL),--model $(MODEL)) $(FLAGS)

.PHONY: deploy stage-architecture
stage-architecture:
	@if [ -n "$(ARCH)" ]; then echo "The architecture of a stage stands in samconfig.toml, not in ARCH" >&2; exit 1; fi

deploy: stage-architecture .venv/.ready ## make deploy STAGE=dev|staging|production [MODEL=id] [CANARY=10] [FLAGS=--dry-run]
	@SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python -m functions.local.deploy $(STAGE) \
		$(if $(MODEL),--model $(MODEL)) $(if $(CANARY),--canary $(CANARY)) $(FLAGS)

.PHONY: smoke
smoke: .venv/.ready ## Smoke tests of a running API: make smoke URL=https://... (RAXE_JWT=token for JWT)
	@RAXE_BASE_URL="$(URL)" .venv/bin/python -m pytest -q tests/smoke/api.py

# --- train ------------------------------------------------------------------------------------------------------------

.PHONY: train-setup
train-setup: .venv-train/.ready ## The virtual environment .venv-train, with torch

# torch by version, not by hash: see requirements/train.in.
.venv-train/.ready: requirements/train.txt pyproject.toml
	@if ! cmp --silent $< $@; then \
	$(PYTHON) -m venv --clear .venv-train; \
	.venv-train/bin/python -m pip install $(LOCKED) --no-compile -r $< >&2; \
	.venv-train/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-compile torch==$(TORCH_VERSION) >&2; fi
	@.venv-train/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@cp $< $@

.PHONY: data train export bundle benchmark
data: .venv-train/.ready ## Compose the training and held-out sets from DATA
	.venv-train/bin/python -m raxe_ml data --data "$(DATA)"
train: .venv-train/.ready ## Fine-tune the encoder and the heads
	.venv-train/bin/python -m raxe_ml train --data "$(DATA)"
export: .venv-train/.ready ## Export the encoder to ONNX, QUANTIZATION=int8|fp16|fp32
	.venv-train/bin/python -m raxe_ml export --quantization $(QUANTIZATION)
bundle: .venv-train/.ready ## Pack the .raxe bundle and its metadata
	.venv-train/bin/python -m raxe_ml bundle --quantization $(QUANTIZATION)

benchmark: .venv-train/.ready ## Measure the model on the held-out sources: figures into its metadata, build/report/*.html
	.venv-train/bin/python -m raxe_ml benchmark --quantization $(QUANTIZATION)

.PHONY: card
card: .venv/.ready ## docs/model-card.md and its plots, from the last benchmark and the licences of DATA
	.venv/bin/python -m raxe_ml card --data "$(DATA)"

.PHONY: rules-report
rules-report: .venv/.ready ## How often the rules hit the benign rows of DATA, and their recall by family
	.venv/bin/python -m raxe_ml rules --data "$(DATA)"

.PHONY: schema
schema: .venv/.ready ## Rewrite docs/metadata.schema.json and the commented template beside it
	.venv/bin/raxe models schema > docs/metadata.schema.json
	.venv/bin/raxe models template > docs/metadata.template.jsonc

# --- upkeep -----------------------------------------------------------------------------------------------------------

.venv-lock/bin/uv:
	@$(PYTHON) -m venv --clear .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Hashes for every platform and for Python 3.11 upwards; no index address is written, so a mirror does not leak in.
UV_COMPILE := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-strip-extras --custom-compile-command "make lock" $(LOCK_FLAGS)

.PHONY: lock
lock: .venv-lock/bin/uv ## Rewrite the locks from requirements/*.in; LOCK_FLAGS=--upgrade takes newer versions
	$(UV_COMPILE) requirements/dev.in -o requirements/dev.txt
	$(UV_COMPILE) requirements/runtime.in --no-deps -c requirements/dev.txt -o requirements/runtime.txt
	$(UV_COMPILE) requirements/emulator.in -c requirements/dev.txt -o requirements/emulator.txt
	$(UV_COMPILE) requirements/peers.in -o requirements/peers.txt
	$(UV_COMPILE) requirements/train.in --override requirements/train-override.txt -c requirements/dev.txt \
		-o requirements/train.txt

.PHONY: clean
clean: ## Remove what the targets made, the virtual environments included
	rm -rf .venv .venv-train .venv-peers .venv-lock .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
