"""Security validation: bundles, checksums, roles, logs, locks, telemetry, and that every promise has its proof."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from functions.local.events import ROOT
from raxe.bundle.format import MEMBER_LIMITS
from tests.validation.items import Item, Proof, Subject, all_of, proven, state_of

PLAIN = {".json", ".onnx", ".npz"}
PROOFS = (
    Proof("hostile bundles are refused", ("tests/test_bundle_hostile.py",)),
    Proof("roles: no wildcard, the least that works", ("tests/test_template*.py",), "roles"),
    Proof("no text in answers, logs and metrics", ("tests/test_never_echo.py",)),
    Proof("no text in logs, under the emulator", ("tests/e2e/test_source.py",), "logs_never_carry"),
    Proof("locks: every pin is hashed", ("tests/test_requirements.py",)),
    Proof("no telemetry, no socket while scanning", ("tests/test_process.py",), "telemetry or socket"),
)
_NAMED_TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)`")


def security(subject: Subject) -> Iterator[Item]:
    """All items of this group, in order."""
    yield no_pickle(subject.settings.models_dir)
    yield _checksums(subject)
    yield from proven(PROOFS)
    yield promises(ROOT / "SECURITY.md")


def no_pickle(models_dir: Path) -> Item:
    """Whether every member of every bundle is one that the format has, and of a plain kind."""
    members = []
    for bundle in sorted((models_dir / "bundles").glob("*.raxe")):
        with zipfile.ZipFile(bundle) as archive:
            members += archive.namelist()
    plain = [name for name in members if name in MEMBER_LIMITS and Path(name).suffix in PLAIN]
    return all_of("no pickle in bundles", len(plain), len(members), "members are JSON, ONNX or plain arrays")


def _checksums(subject: Subject) -> Item:
    checks = subject.registry.validate_model(subject.model.model_id).checks
    files = [check for check in checks if check.name.startswith("file ")]
    return all_of("checksums of the model's files", sum(not each.problem for each in files), len(files), "files")


def promises(document: Path) -> Item:
    """Whether there is a document on security, says where to report, and every test that it names is there."""
    text = document.read_text(encoding="utf-8") if document.is_file() else ""
    named = sorted(set(_NAMED_TEST.findall(text)))
    there = [name for name in named if (ROOT / name).is_file()]
    holds = bool(named) and there == named and "## Reporting" in text
    figure = f"{len(there)} of {len(named)} tests that it names"
    return Item(f"{document.name} names its proofs", state_of(holds), figure)
