# Byte code, when a Python 3.13 is there: /opt is read-only in Lambda, so without it every cold start compiles anew.
# Unchecked and with Lambda's paths, so that the same source gives the same bytes on every machine.

SHELL := /bin/bash
COMPILE = @if python3.13 -c "" 2>/dev/null; then \
	python3.13 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /opt "$(ARTIFACTS_DIR)/python"; \
	else echo "no python3.13: the layer has no byte code, cold starts take longer" >&2; fi
