"""Steps of a deployment: commands that run one after the other until one fails."""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Reader = Callable[[str], dict[str, str]]


class StepFailed(Exception):
    """A step did not end well; nothing after it was run."""

    def __init__(self, step: "Step", reason: str) -> None:
        """Names the step, and what to do when it leaves something half done."""
        super().__init__(f"{step.name} failed: {reason}{f'. {step.hint}' if step.hint else ''}")


@dataclass(frozen=True, slots=True)
class Step:
    """One command.

    Attributes:
        changes: whether it changes anything outside the checkout's build folder; a dry run leaves it out.
        env: variables of this command alone.
        silent: any output means that it failed.
        read: what the steps after it are told, as variables, out of what it printed; raises ValueError.
        hint: how to go back when it fails.
    """

    name: str
    command: tuple[str, ...]
    changes: bool = True
    env: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False
    read: Reader | None = None
    hint: str = ""

    def __str__(self) -> str:
        """The command as a shell takes it, its variables before it."""
        return " ".join(
            [*(f"{name}={shlex.quote(value)}" for name, value in self.env.items()), shlex.join(self.command)]
        )


def run_all(steps: Iterable[Step]) -> None:
    """Runs the steps in order, each announced by a line.

    Raises:
        StepFailed: a command ended with another status than 0, is not installed, or printed what it should not.
    """
    known: dict[str, str] = {}
    for step in steps:
        print(f"==> {step.name}: {step}", flush=True)
        known |= _run(step, known)


def _run(step: Step, known: Mapping[str, str]) -> dict[str, str]:
    caught = subprocess.PIPE if step.silent or step.read else None
    try:
        env = {**os.environ, **known, **step.env}
        done = subprocess.run(step.command, env=env, stdout=caught, text=True, check=False)
    except FileNotFoundError:
        raise StepFailed(step, f"{step.command[0]} is not installed") from None
    if done.returncode:
        raise StepFailed(step, f"exit status {done.returncode}")
    if step.silent and done.stdout:
        raise StepFailed(step, f"it should print nothing, and printed\n{done.stdout.rstrip()}")
    try:
        return step.read(done.stdout) if step.read else {}
    except ValueError as error:
        raise StepFailed(step, str(error)) from None
