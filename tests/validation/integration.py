"""Integration validation: events under the emulator, the stack's template and routes, stores, the served API."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from functions.local.events import ROOT
from functions.local.routes import load_routes
from tests.stack import render
from tests.validation.items import Item, Proof, Subject, all_of, proven, state_of

PROOFS = (
    Proof("events, under the Lambda emulator", ("tests/e2e/test_source.py",)),
    Proof("stack: versions, alias, authorisation", ("tests/test_template*.py",), "not roles"),
    Proof("stores keep their contracts", ("tests/contract/test_*.py",)),
    Proof("smoke tests against make serve", ("tests/test_smoke.py",), "pass_against_make_serve"),
)


def integration(_subject: Subject) -> Iterator[Item]:
    """All items of this group, in order."""
    yield _lint()
    yield _routes()
    yield from proven(PROOFS)


def _lint() -> Item:
    sam = str(Path(sys.executable).with_name("sam"))
    command = [sam, "validate", "--lint", "--region", "eu-west-1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
    return Item("template lint", state_of(done.returncode == 0), "valid" if done.returncode == 0 else said[-1])


def _routes() -> Item:
    served = {route.key for route in load_routes(ROOT / "template.yaml") if (ROOT / route.code / "app.py").is_file()}
    stack = {each["RouteKey"] for each in render().of_type("AWS::ApiGatewayV2::Route").values()}
    return all_of("routes of the template are served", len(stack & served), len(stack | served), "routes")
