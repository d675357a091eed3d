"""One run of a CodeDeploy hook: whatever the checks do, CodeDeploy is told once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raxe.errors import InvalidEvent, RaxeError
from raxe.protocols import HookStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; ``detail`` is a figure, an id or the class of an error, never a text that was scanned."""

    check: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What CodeDeploy was told, and why."""

    deployment_id: str
    findings: tuple[Finding, ...]

    @property
    def succeeded(self) -> bool:
        """Whether every check passed, and there was one."""
        return bool(self.findings) and all(each.passed for each in self.findings)

    @property
    def lines(self) -> list[str]:
        """One line a check, for the log."""
        return [f"{'pass' if each.passed else 'FAIL'} {each.check}: {each.detail}" for each in self.findings]


class _HookEvent(BaseModel):
    """The event of CodeDeploy; fields that it may add are passed over."""

    model_config = ConfigDict(frozen=True)

    deployment_id: str = Field(alias="DeploymentId", min_length=1)
    execution_id: str = Field(alias="LifecycleEventHookExecutionId", min_length=1)


def run_hook(event: Mapping[str, Any], checks: Callable[[], Sequence[Finding]], status: HookStatus) -> Outcome:
    """What the checks found, after CodeDeploy was told: once, and also when a check raised.

    Raises:
        InvalidEvent: the event is not CodeDeploy's, so there is nobody to tell.
        ServiceFailed: CodeDeploy could not be told.
    """
    try:
        hook = _HookEvent.model_validate(event)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        raise InvalidEvent(f"not an event of a CodeDeploy hook: {places}") from None
    try:
        findings = tuple(checks())
    except Exception as error:  # noqa: BLE001  (untold, CodeDeploy waits an hour with the deployment half done)
        detail = f"{type(error).__name__}: {error}" if isinstance(error, RaxeError) else type(error).__name__
        findings = (Finding("checks", passed=False, detail=detail),)
    outcome = Outcome(hook.deployment_id, findings)
    status.report(hook.deployment_id, hook.execution_id, succeeded=outcome.succeeded)
    return outcome
