"""A deployment runs its steps in order and stops at the first that fails; sam, raxe and python are stand-ins."""

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse

from functions.local.deploy import Release, overrides
from functions.local.events import ROOT

# Writes down how it was called; prints the stack's outputs; fails when FAIL_AT is part of the call.
STAND_IN = """#!/bin/sh
call="$(basename "$0") $*"
printf '%s\\n' "$call${RAXE_BASE_URL:+ URL=$RAXE_BASE_URL}${RAXE_EXPECT_MODEL:+ MODEL=$RAXE_EXPECT_MODEL}" >> "$RECORD"
case "$call" in *stack-outputs*) printf '%s' "$OUTPUTS" ;; esac
[ -z "$FAIL_AT" ] && exit 0
case "$call" in *"$FAIL_AT"*) exit 3 ;; esac
"""
OUTPUTS = (
    '[{"OutputKey": "ApiId", "OutputValue": "abc"}, {"OutputKey": "ApiUrl", "OutputValue": "https://api.example"}]'
)
GIT = str(shutil.which("git"))
CHECKS = ["python -m tests.validation.run", "python -m pytest -q"]
AT = "--at ssm:/raxe/staging/rollout"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A small git repository with samconfig.toml, and stand-ins for what a deployment calls."""

    folder: Path
    record: Path

    def deploy(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a deployment in it."""
        env = {
            **os.environ, "PYTHONPATH": str(ROOT), "RECORD": str(self.record), "OUTPUTS": OUTPUTS, "FAIL_AT": "",
            "PATH": f"{self.record.parent}{os.pathsep}{os.environ['PATH']}", **variables,
        }  # fmt: skip
        command = [sys.executable, "-m", "functions.local.deploy", *arguments]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[str]:
        """How the stand-ins were called, in order."""
        return self.record.read_text(encoding="utf-8").splitlines() if self.record.is_file() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A clean repository."""
    folder, programs = tmp_path / "checkout", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name in ("sam", "raxe", "python", "sed"):
        (programs / name).write_text(STAND_IN, encoding="utf-8")
        (programs / name).chmod(0o755)
    shutil.copy(ROOT / "samconfig.toml", folder)
    author = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "All there is"]):
        subprocess.run([GIT, *command], cwd=folder, check=True, capture_output=True)
    return Checkout(folder, programs / "record")


def given_parameters(call: str) -> dict[str, str]:
    """The parameters of a `sam deploy`, read as sam reads them."""
    _, _, parameters = call.partition("--parameter-overrides ")
    found: dict[str, str] = CfnParameterOverridesType().convert((parameters,), None, None)
    return found


def test_a_model_canary_deploys_then_gives_the_challenger_its_share(checkout: Checkout) -> None:
    """Checks, build, deployment, smoke tests at the stack's address, then the rollout document, in this order."""
    done = checkout.deploy("staging", "--model", "next-v2", "--canary", "10")
    assert done.returncode == 0, done.stderr
    assert [call.partition(" --parameter-overrides")[0] for call in checkout.calls if not call.startswith("sed")] == [
        "python -m tests.validation.run --model next-v2",
        "python -m pytest -q",
        "sam build --config-env staging --build-dir .aws-sam/build",
        "sam deploy --config-env staging --template-file .aws-sam/build/template.yaml --no-fail-on-empty-changeset",
        "sam list stack-outputs --stack-name raxe-staging --output json",
        "python -m pytest -q tests/smoke/api.py URL=https://api.example",
        f"raxe rollout set --challenger next-v2 {AT} URL=https://api.example",
        f"raxe rollout canary 10 {AT} URL=https://api.example",
    ]
    assert done.stdout.splitlines()[-5:] == [
        "deployed",
        f"next: raxe rollout canary 50 {AT}",
        f"next: raxe rollout canary 100 {AT}",
        f"then: raxe rollout promote {AT}",
        f"back: raxe rollout rollback {AT}",
    ]


def test_parameters_are_the_stage_s_with_what_the_release_changes(checkout: Checkout) -> None:
    """Sam reads all of the stage's parameters; a challenger leaves the choice to the document, code moves by canary."""
    checkout.deploy("staging", "--model", "next-v2", "--canary", "10")
    (call,) = [call for call in checkout.calls if call.startswith("sam deploy")]
    assert given_parameters(call) == {
        "Stage": "staging", "Architecture": "arm64", "L2Model": "", "DeploymentType": "Canary10Percent10Minutes",
    }  # fmt: skip


def test_a_model_without_canary_serves_everyone(checkout: Checkout) -> None:
    """The model is the stack's, the smoke tests ask for it, and the rollout document is left alone."""
    done = checkout.deploy("production", "--model", "next-v2")
    assert done.returncode == 0, done.stderr
    (deployed,) = [call for call in checkout.calls if call.startswith("sam deploy")]
    found = given_parameters(deployed)
    assert (found["Stage"], found["L2Model"], found["ThrottleRateLimit"]) == ("prod", "next-v2", "500")
    assert "python -m pytest -q tests/smoke/api.py URL=https://api.example MODEL=next-v2" in checkout.calls
    assert not any(call.startswith("raxe") for call in checkout.calls)


def test_code_alone_leaves_the_model_as_it_is(checkout: Checkout) -> None:
    """Without a model L2Model is not given, which keeps its value; a canary of before does not come back."""
    for arguments, kind in (((), "AllAtOnce"), (("--canary", "10"), "Canary10Percent10Minutes")):
        checkout.record.unlink(missing_ok=True)
        assert checkout.deploy("staging", *arguments).returncode == 0
        (call,) = [call for call in checkout.calls if call.startswith("sam deploy")]
        assert "L2Model" not in given_parameters(call)
        assert given_parameters(call)["DeploymentType"] == kind
        assert not any(call.startswith("raxe") for call in checkout.calls)


@pytest.mark.parametrize(
    "failing",
    [
        "tests.validation.run", "pytest -q", "sam build", "sed", "sam deploy", "stack-outputs", "tests/smoke",
        "rollout set", "rollout canary",
    ],
)  # fmt: skip
def test_nothing_runs_after_a_step_that_failed(checkout: Checkout, failing: str) -> None:
    """The step is named, the exit status is 1, the failing call is the last one, and no next command is offered."""
    done = checkout.deploy("staging", "--model", "m", "--canary", "10", FAIL_AT=failing)
    assert done.returncode == 1
    assert failing in checkout.calls[-1]
    assert done.stderr.startswith("stopped: ")
    assert "failed: exit status 3" in done.stderr
    assert "next:" not in done.stdout
    if failing in {"stack-outputs", "tests/smoke", "rollout set", "rollout canary"}:
        assert f"raxe rollout off {AT}" in done.stderr


def test_a_tree_that_is_not_clean_stops_before_anything_runs(checkout: Checkout) -> None:
    """Git, the real one, names the file that is not committed; not even a check is started."""
    (checkout.folder / "forgotten.py").touch()
    done = checkout.deploy("staging")
    assert (done.returncode, checkout.calls) == (1, [])
    assert "clean tree failed" in done.stderr
    assert "?? forgotten.py" in done.stderr


def test_a_dry_run_prints_every_step_and_checks_and_builds_alone(checkout: Checkout) -> None:
    """Each command stands in the output; those that reach the stage are not run. What comes next is said."""
    done = checkout.deploy("prod", "--model", "m", "--canary", "5", "--dry-run")
    assert done.returncode == 0, done.stderr
    *checked, built, marked = [call.removesuffix(" --model m") for call in checkout.calls]
    assert checked == CHECKS
    assert built.startswith("sam build")
    assert marked.startswith("sed -i")
    planned = [line for line in done.stdout.splitlines() if line.startswith(("run ", "not run "))]
    assert [(line[:8].strip(), line[9:].split(":")[0]) for line in planned] == [
        *(("run", name) for name in ("clean tree", "checklist", "test suite", "build", "release mark")),
        *(("not run", name) for name in ("deploy", "address", "smoke tests", "challenger", "canary")),
    ]
    assert "next: raxe rollout canary 50 --at ssm:/raxe/prod/rollout" in done.stdout
    assert "raxe rollout canary 5 --at ssm:/raxe/prod/rollout" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "dev, staging and production"),
        (["staging", "--canary", "50"], "needs a model"),
        (["staging", "--model", "m", "--canary", "100"], "--canary"),
        ([], "STAGE"),
    ],
)
def test_wrong_arguments_are_said_before_anything_runs(checkout: Checkout, arguments: list[str], said: str) -> None:
    """Exit status 2, and no step."""
    done = checkout.deploy(*arguments)
    assert (done.returncode, checkout.calls) == (2, [])
    assert said in done.stderr


@pytest.mark.parametrize("outputs", ["[]", "no JSON"])
def test_a_stack_without_address_is_said(checkout: Checkout, outputs: str) -> None:
    """Without the address of the API nothing can be looked at, so nothing goes on."""
    done = checkout.deploy("staging", OUTPUTS=outputs)
    assert (done.returncode, "address failed" in done.stderr) == (1, True)
    assert "stack-outputs" in checkout.calls[-1]


def test_a_program_that_is_missing_is_named(checkout: Checkout) -> None:
    """A machine without sam says so instead of a traceback."""
    (checkout.record.parent / "sam").unlink()
    (checkout.record.parent / "git").symlink_to(GIT)
    done = checkout.deploy("staging", PATH=f"{checkout.record.parent}:/bin:/usr/bin")
    assert done.returncode == 1
    assert done.stderr.startswith("stopped: build failed: sam is not installed")


def test_another_parameter_is_another_release(checkout: Checkout) -> None:
    """The mark that makes SAM publish new versions differs with the model, and is the same for the same again."""
    marks = []
    for model in ("a", "b", "b"):
        checkout.record.unlink(missing_ok=True)
        checkout.deploy("staging", "--model", model)
        marks += [call for call in checkout.calls if call.startswith("sed")]
    assert marks[0] != marks[1] == marks[2]
    assert all(".aws-sam/build/template.yaml" in mark for mark in marks)


def test_every_parameter_that_is_given_is_one_of_the_stack() -> None:
    """Sam leaves out a parameter that the template does not have, without a word."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Parameters"]
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8")).keys() - {"version", "default"}
    assert stages == set(template["Stage"]["AllowedValues"])
    for stage in stages:
        found = overrides(Release(stage, "m", 10), ROOT / "samconfig.toml")
        assert found.keys() <= template.keys()
        assert found["DeploymentType"] in template["DeploymentType"]["AllowedValues"]


def test_script_and_make_run_the_same_program(tmp_path: Path) -> None:
    """`scripts/deploy.sh model stage` hands them over, as `make deploy` does; without them it says its usage."""
    folder, record = tmp_path / "checkout", tmp_path / "record"
    for name in ("scripts/deploy.sh", ".venv/bin/python", "bin/make"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(STAND_IN, encoding="utf-8")
        (folder / name).chmod(0o755)
    script = Path(shutil.copy(ROOT / "scripts" / "deploy.sh", folder / "scripts"))
    env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "RECORD": str(record), "FAIL_AT": "", "OUTPUTS": ""}
    for arguments, status in ((["next-v2", "staging", "--canary", "10", "--dry-run"], 0), (["staging"], 2)):
        done = subprocess.run([script, *arguments], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
    assert done.stderr.startswith("usage: scripts/deploy.sh <model_id> <stage> [--canary N]")
    program = "python -m functions.local.deploy staging --model next-v2 --canary 10 --dry-run"
    assert record.read_text(encoding="utf-8").splitlines() == ["make --silent setup", program]
    command = ["make", "-n", "deploy", "STAGE=staging", "MODEL=next-v2", "CANARY=10", "FLAGS=--dry-run"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert program in " ".join(made.replace("\\\n", " ").split())
