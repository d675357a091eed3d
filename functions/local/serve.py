"""Serves the stack's routes on http://127.0.0.1:8000 with the deployed handlers, without an AWS account: `make serve`.

RAXE_PORT in the environment takes another port.
"""

import importlib
import os
import sys
import tempfile
from pathlib import Path

import uvicorn

from functions.local.environment import local_environment
from functions.local.events import ROOT
from functions.local.gateway import Handler, LocalGateway
from functions.local.routes import Route, load_routes

HOST, PORT, MAX_PORT = "127.0.0.1", 8000, 65_535


def main() -> int:
    """Serves until interrupted; the exit status is 2 when RAXE_PORT is no port."""
    port = os.environ.get("RAXE_PORT", str(PORT))
    if not port.isdigit() or not 0 < int(port) <= MAX_PORT:
        print("RAXE_PORT must be a port number", file=sys.stderr)
        return 2
    for name, value in local_environment().items():
        os.environ.setdefault(name, value)
    # What the functions of the stack share by a table.
    os.environ.setdefault("RAXE_EXPERIMENTS", str(Path(tempfile.mkdtemp(prefix="raxe-")) / "experiments.sqlite"))
    print(f"answers are counted in {os.environ['RAXE_EXPERIMENTS']}")
    handlers = [(route, load_handler(route)) for route in load_routes(ROOT / "template.yaml")]
    for route, _ in handlers:
        print(route.key)
    uvicorn.run(LocalGateway(handlers), host=HOST, port=int(port), lifespan="off", log_level="info")
    return 0


def load_handler(route: Route) -> Handler:
    """Returns the handler of a route; importing it loads the model, once a process."""
    handler: Handler = importlib.import_module(".".join((*route.code.parts, "app"))).handler
    return handler


if __name__ == "__main__":
    sys.exit(main())
