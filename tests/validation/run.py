"""The checklist before a deployment, as code: every item with its figure, pass, miss or fail. ``make validate``."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from enum import StrEnum
from subprocess import CalledProcessError
from typing import Annotated

import typer

from functions.local.errors import EmulatorError
from raxe.bootstrap import ModelRegistry
from raxe.errors import RaxeError
from raxe.settings import from_environment
from tests.validation.functional import functional
from tests.validation.integration import integration
from tests.validation.items import Item, State, Subject
from tests.validation.performance import performance
from tests.validation.security import security


class Group(StrEnum):
    """The parts of the checklist, in order."""

    FUNCTIONAL = "functional"
    PERFORMANCE = "performance"
    INTEGRATION = "integration"
    SECURITY = "security"


GROUPS: dict[Group, Callable[[Subject], Iterator[Item]]] = {
    Group.FUNCTIONAL: functional,
    Group.PERFORMANCE: performance,
    Group.INTEGRATION: integration,
    Group.SECURITY: security,
}
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_show_locals=False)


@app.command()
def validate(
    model: Annotated[str | None, typer.Option(help="Id of the model; else the one that serves.")] = None,
    only: Annotated[list[Group] | None, typer.Option(help="Only this group; may be repeated.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A missed target fails too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, at the end.")] = False,
) -> None:
    """Validate what a deployment would ship, item by item.

    pass holds; miss is a target that is not reached, which is said and does not block; fail blocks. Exit code: 0 no
    item fails, 1 one does (with --strict also for a miss), 2 no such model.
    """
    subject = _subject(model)
    items: dict[Group, list[Item]] = {}
    for group in only or GROUPS:
        if not as_json:
            print(f"{group} ({subject.model.model_id})" if group == Group.FUNCTIONAL else group, flush=True)
        for item in looked_at(group, subject):
            items.setdefault(group, []).append(item)
            if not as_json:
                print(f"  {item.state:5} {item.name:52} {item.figure}", flush=True)
    print(_as_json(subject, items) if as_json else _summary(items))
    raise typer.Exit(exit_code(items, strict=strict))


def looked_at(group: Group, subject: Subject) -> Iterator[Item]:
    """The items of a group; what keeps a check from its end is an item that fails, and ends the group."""
    try:
        yield from GROUPS[group](subject)
    except (RaxeError, EmulatorError, CalledProcessError, OSError) as error:
        said = next(iter(str(error).splitlines()), "")
        yield Item(f"the rest of {group}", State.FAIL, f"{type(error).__name__}: {said}")


def exit_code(items: dict[Group, list[Item]], *, strict: bool) -> int:
    """1 when an item blocks a deployment, else 0."""
    blocking = {State.FAIL, State.MISS} if strict else {State.FAIL}
    return int(any(item.state in blocking for group in items.values() for item in group))


def _subject(model_id: str | None) -> Subject:
    if model_id:
        os.environ["RAXE_L2_MODEL"] = model_id  # for the processes that measure, too
    try:
        settings = from_environment()
        registry = ModelRegistry(settings=settings)
        choice = registry.select()
        model = registry.get_model(model_id) if model_id else choice.model
    except RaxeError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    if model is None:
        print(f"error: no model serves: {choice.cause}", file=sys.stderr)
        raise typer.Exit(2)
    return Subject(model, registry, replace(settings, l2_model=model.model_id))


def _summary(items: dict[Group, list[Item]]) -> str:
    states = [item.state for group in items.values() for item in group]
    counts = ", ".join(f"{states.count(state)} {state}" for state in State)
    return f"{len(states)} items: {counts}"


def _as_json(subject: Subject, items: dict[Group, list[Item]]) -> str:
    body = [{"group": group, **asdict(item)} for group, found in items.items() for item in found]
    passed = exit_code(items, strict=False) == 0
    return json.dumps({"model_id": subject.model.model_id, "passed": passed, "items": body})


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # SAM's transform asks for one; nothing is called
    os.environ.setdefault("SAM_CLI_TELEMETRY", "0")
    app()
