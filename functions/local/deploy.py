"""Deploys to a stage: checks, build, `sam deploy`, smoke tests, and the canary of a model. `make deploy`.

Two canaries, by two means. The code's: CodeDeploy gives the new version of the function 10 % of the traffic and ten
minutes later all of it, or none when its alarms go off. The model's: the rollout document gives the model CANARY
percent of the subjects, until somebody raises it. docs/deployment.md has both.
"""

import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from functions.local.steps import Step, StepFailed, run_all

TEMPLATE = ".aws-sam/build/template.yaml"
CODE_CANARY, CODE_CANARY_PERCENT = "Canary10Percent10Minutes", 10
AT_ONCE = "AllAtOnce"


class Stage(StrEnum):
    """The stages by the names of samconfig.toml; ``production`` is ``prod``."""

    DEV = "dev"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def environment(self) -> str:
        """Its name in samconfig.toml, in the stack and in addresses."""
        return "prod" if self is Stage.PRODUCTION else self.value

    @classmethod
    def _missing_(cls, value: object) -> "Stage | None":
        return cls.PRODUCTION if value == "prod" else None


@dataclass(frozen=True, slots=True)
class Release:
    """What is deployed where.

    Attributes:
        environment: the stage by its name in samconfig.toml.
        model: None deploys the code and leaves the choice of the model as it is.
        canary: percent; None gives all traffic to what is deployed.
    """

    environment: str
    model: str | None = None
    canary: int | None = None
    confirmed: bool = False

    @property
    def rollout(self) -> str:
        """The address of the stage's rollout document."""
        return f"ssm:/raxe/{self.environment}/rollout"

    @property
    def canary_of_model(self) -> bool:
        """Whether the model starts as a challenger instead of as the one that serves."""
        return self.model is not None and self.canary is not None


def stage_parameters(release: Release, config: Path) -> dict[str, Any]:
    """What samconfig.toml says of the stage for all of sam's commands."""
    stage = tomllib.loads(config.read_text(encoding="utf-8"))[release.environment]
    found: dict[str, Any] = stage["global"]["parameters"]
    return found


def overrides(release: Release, config: Path) -> dict[str, str]:
    """The stack's parameters: those of the stage, with what the release changes.

    ``sam deploy`` takes either these or samconfig.toml's, and keeps the value of the last deployment for one that is
    missing: so all are given, and a canary of last week does not come back.
    """
    found = dict(each.split("=", 1) for each in stage_parameters(release, config)["parameter_overrides"])
    found.setdefault("DeploymentType", AT_ONCE)
    if release.canary is not None and found["DeploymentType"] == AT_ONCE:
        found["DeploymentType"] = CODE_CANARY
    if release.model is not None:
        # RAXE_L2_MODEL wins over the rollout document: with a model in it no challenger would ever be asked.
        found["L2Model"] = "" if release.canary_of_model else release.model
    return found


def checks(release: Release) -> Iterator[Step]:
    """What must hold before anything is built."""
    model = ("--model", release.model) if release.model else ()
    yield Step("clean tree", ("git", "status", "--porcelain"), changes=False, silent=True)
    yield Step("checklist", ("python", "-m", "tests.validation.run", *model), changes=False)
    yield Step("test suite", ("python", "-m", "pytest", "-q"), changes=False)


def changes(release: Release, config: Path) -> Iterator[Step]:
    """Build, deployment, a look at what was deployed, and the first share of a model."""
    stage = ("--config-env", release.environment)
    given = " ".join(f'{name}="{value}"' for name, value in overrides(release, config).items())
    mark = hashlib.sha256(given.encode()).hexdigest()[:12]
    confirm = ("--no-confirm-changeset",) if release.confirmed else ()
    back = f"The stack is deployed; docs/deployment.md says how to go back. `raxe rollout off --at {release.rollout}`"
    back += " leaves the rules alone at once"
    expected = {"RAXE_EXPECT_MODEL": release.model} if release.model and not release.canary_of_model else {}
    yield Step("build", ("sam", "build", *stage, "--build-dir", str(Path(TEMPLATE).parent)), changes=False)
    # A parameter that changed alone must publish new versions too, and SAM does not look at their values.
    marked = f's/RAXE_RELEASE: unreleased/RAXE_RELEASE: "{mark}"/'
    yield Step("release mark", ("sed", "-i", marked, TEMPLATE), changes=False)
    deploy = ("sam", "deploy", *stage, "--template-file", TEMPLATE, "--no-fail-on-empty-changeset", *confirm)
    undone = "CloudFormation puts back what was there before"
    yield Step("deploy", (*deploy, "--parameter-overrides", given), hint=undone)
    stack = stage_parameters(release, config)["stack_name"]
    outputs = ("sam", "list", "stack-outputs", "--stack-name", stack, "--output", "json")
    yield Step("address", outputs, read=read_address, hint=back)
    yield Step("smoke tests", ("python", "-m", "pytest", "-q", "tests/smoke/api.py"), env=expected, hint=back)
    if release.canary_of_model:
        at = ("--at", release.rollout)
        yield Step("challenger", ("raxe", "rollout", "set", "--challenger", str(release.model), *at), hint=back)
        yield Step("canary", ("raxe", "rollout", "canary", str(release.canary), *at), hint=back)


def read_address(printed: str) -> dict[str, str]:
    """The variable of the smoke tests, from the stack's outputs; raises ValueError without ApiUrl among them."""
    found = {each["OutputKey"]: each["OutputValue"] for each in json.loads(printed)}
    if "ApiUrl" not in found:
        raise ValueError("the stack has no output ApiUrl")
    return {"RAXE_BASE_URL": found["ApiUrl"]}


def next_commands(release: Release) -> Iterator[str]:
    """What an operator runs after this, on and back."""
    at = f"--at {release.rollout}"
    if release.canary_of_model:
        for percent in (50, 100):
            if percent > (release.canary or 0):
                yield f"next: raxe rollout canary {percent} {at}"
        yield f"then: raxe rollout promote {at}"
        yield f"back: raxe rollout rollback {at}"
    else:
        yield f"next: raxe rollout show {at}"
        yield "back: git switch --detach COMMIT_BEFORE, then the same command again"
        yield f"rules alone, at once: raxe rollout off {at}"


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_show_locals=False)


@app.command()
def deploy(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="dev, staging or production (prod).")],
    model: Annotated[str | None, typer.Option(help="Id of the model; else the choice stays as it is.")] = None,
    canary: Annotated[int | None, typer.Option(min=1, max=99, help="Percent of the traffic to begin with.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the change set is executed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every step, check and build alone.")] = False,
) -> None:
    """Deploy the checkout to a stage.

    With a model and --canary the model becomes the challenger with that percentage of the subjects; with a model alone
    it serves all; without a model the code is deployed, and --canary 10 moves traffic to it by CodeDeploy. Exit code:
    0 done, 1 a step failed and nothing after it ran, 2 wrong arguments.
    """
    release = Release(_stage(stage).environment, model or None, canary, yes)
    if not release.model and canary not in (None, CODE_CANARY_PERCENT):
        raise typer.BadParameter(f"CodeDeploy moves code by {CODE_CANARY_PERCENT} %; another share needs a model")
    config = Path("samconfig.toml")
    steps = [*checks(release), *changes(release, config)]
    if dry_run:
        for step in steps:
            print(f"{'not run' if step.changes else 'run':8} {step.name}: {step}")
    try:
        run_all([step for step in steps if not (dry_run and step.changes)])
    except StepFailed as failed:
        print(f"stopped: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    print("dry run: the checks hold, it is built, nothing was deployed" if dry_run else "deployed")
    for line in next_commands(release):
        print(line)


def _stage(name: str) -> Stage:
    try:
        return Stage(name)
    except ValueError:
        raise typer.BadParameter("the stages are dev, staging and production", param_hint="STAGE") from None


if __name__ == "__main__":
    app()
