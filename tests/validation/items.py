"""One item of the checklist: what is looked at, whether it holds, and the figure that says so."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET  # our own pytest writes what it reads
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from functions.local.events import ROOT
from raxe.bootstrap import ModelRegistry
from raxe.registry import Metadata
from raxe.settings import Settings


class State(StrEnum):
    """``miss`` is a target that is not reached: it is printed, and blocks only when asked to."""

    PASS = "pass"  # noqa: S105  (no password)
    MISS = "miss"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist; ``figure`` is what was counted or measured, or what is wrong."""

    name: str
    state: State
    figure: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is validated: a model of the registry, and the settings that make it the one that serves."""

    model: Metadata
    registry: ModelRegistry
    settings: Settings


@dataclass(frozen=True, slots=True)
class Proof:
    """An item that tests of the suite prove.

    Attributes:
        files: patterns below the checkout.
        keyword: pytest's ``-k``; empty for all tests of the files.
    """

    name: str
    files: tuple[str, ...]
    keyword: str = ""

    def paths(self) -> list[str]:
        """The files there are, by name."""
        return sorted(str(path.relative_to(ROOT)) for pattern in self.files for path in ROOT.glob(pattern))


def state_of(holds: bool) -> State:
    """Pass or fail."""
    return State.PASS if holds else State.FAIL


def all_of(name: str, good: int, total: int, what: str) -> Item:
    """An item that holds when all of them are good, and there is one."""
    return Item(name, state_of(0 < good == total), f"{good} of {total} {what}")


def proven(proofs: tuple[Proof, ...]) -> Iterator[Item]:
    """Runs the tests of each proof in a process of its own."""
    for proof in proofs:
        yield _run(proof)


def _run(proof: Proof) -> Item:
    # The tests choose their models themselves; what is validated here must not choose for them.
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAXE_")}
    env["PYTHONPATH"] = os.pathsep.join(str(ROOT / folder) for folder in ("shared", "training"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        command += [*proof.paths(), *(["-k", proof.keyword] if proof.keyword else [])]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if not report.is_file():
            return Item(proof.name, State.FAIL, f"pytest ended with {done.returncode} before a test ran")
        cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314  (ours)
    failed = [
        case.get("name", "") for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    skipped = sum(case.find("skipped") is not None for case in cases)
    passed = len(cases) - len(failed) - skipped
    figure = f"{passed} of {len(cases)} tests"
    if skipped:
        figure += f", {skipped} skipped"
    if failed:
        figure += f"; failed: {', '.join(failed[:3])}"
    return Item(proof.name, state_of(done.returncode == 0 and passed > 0), figure)
