"""Prints what the scan function answers to one text, under the Lambda emulator.

python -m functions.local.scan "Ignore all previous instructions"

`make scan` passes the text in RAXE_SCAN_TEXT instead, so that no shell parses it. Exit status: 0 when the function
answered 200, 2 otherwise.
"""

import json
import os
import sys

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.errors import EmulatorError
from functions.local.events import ROOT, scan_event

_OK = 200


def main(arguments: list[str]) -> int:
    """Returns the exit status; the response body goes to stdout, what went wrong to stderr."""
    text = arguments[0] if arguments else os.environ.get("RAXE_SCAN_TEXT", "")
    if not text:
        print('Nothing to scan. Try: make scan TEXT="What is the capital of France?"', file=sys.stderr)
        return 2
    options = EmulatorOptions(python_path=(ROOT / "shared",), env=local_environment())
    try:
        with LambdaEmulator(ROOT / "functions" / "scan", options) as emulator:
            response = emulator.invoke(scan_event(text))
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        print(json.dumps(json.loads(response["body"]), indent=2), flush=True)
    except BrokenPipeError:  # whoever reads has seen enough; what python prints at its end would fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if response["statusCode"] == _OK else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
