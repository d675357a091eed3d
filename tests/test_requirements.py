"""The locks: hashed, in agreement with each other, and free of any index address or machine path."""

import re

import pytest

from functions.local.events import ROOT

LOCKS = ["dev", "emulator", "runtime", "train"]
_PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)(.*)$")


def pins(lock: str) -> dict[str, set[str]]:
    """Returns the pinned versions of each package; there can be two, for different Pythons."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines():
        if match := _PIN.match(line):
            found.setdefault(match[1], set()).add(match[2])
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_hashed(lock: str) -> None:
    """Each requirement continues in at least one checksum."""
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line and line[0] not in " #"]
    assert starts
    for number in starts:
        assert _PIN.match(lines[number]), lines[number]
        assert "--hash=sha256:" in lines[number + 1], lines[number]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_index_and_no_machine(lock: str) -> None:
    """A lock made behind a mirror is the same as one made in the open."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|index-url|find-links|(?<![\w-])/(home|opt|root|tmp|work)/", text)


@pytest.mark.parametrize("lock", ["emulator", "runtime", "train"])
def test_locks_agree(lock: str) -> None:
    """What is tested is what is deployed and what trains: one version of a package in all locks."""
    tested = pins("dev")
    for name, versions in pins(lock).items():
        assert versions == tested.get(name, versions), name


def test_runtime_is_small_and_without_telemetry() -> None:
    """The layer ships an allow-list, and the last onnxruntime that does not send telemetry by default."""
    runtime = pins("runtime")
    assert runtime["onnxruntime"] == {"1.28.0"}
    assert not runtime.keys() & {"boto3", "huggingface-hub", "sympy", "torch", "transformers", "scikit-learn"}
    assert all(len(versions) == 1 for versions in runtime.values())


def test_training_lock_leaves_torch_to_the_machine() -> None:
    """The lock leaves out torch and what only it needs: they are installed by version, not by hash."""
    assert not [name for name in pins("train") if name == "torch" or name.startswith("nvidia-")]
