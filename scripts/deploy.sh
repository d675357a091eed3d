#!/usr/bin/env bash
# Deploys a model: scripts/deploy.sh <model_id> <stage> [--canary N] [--dry-run] [--yes]
# `make deploy` is the same; functions/local/deploy.py is what both run.
set -euo pipefail
if [ $# -lt 2 ]; then
	sed -n 's/^# Deploys a model: /usage: /p' "$0" >&2
	exit 2
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
make --silent setup
SAM_CLI_TELEMETRY=0 PATH="$PWD/.venv/bin:$PATH" exec .venv/bin/python -m functions.local.deploy "$2" --model "$1" "${@:3}"
