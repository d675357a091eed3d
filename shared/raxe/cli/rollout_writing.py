"""What the commands of ``raxe rollout`` share: the store, an edit, what it changes in words, and how it is written."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import ndiff
from typing import Annotated

import typer

from raxe.bootstrap.rollout import open_rollout
from raxe.cli.output import reported
from raxe.errors import InvalidInput, RolloutNotFound, StoreConflict
from raxe.protocols import RolloutStore, StoredRollout
from raxe.rollout import Rollout, dump_rollout, parse_rollout
from raxe.settings import from_environment

REFUSED = 1  # exit code when somebody else wrote meanwhile
NONE = "none"

At = Annotated[str | None, typer.Option(help="ssm:/name or a file; else that of RAXE_ROLLOUT.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would change, write nothing.")]
IfVersion = Annotated[
    int | None, typer.Option(help="Refuse unless this version is in force.", show_default=False, min=0)
]


@dataclass(frozen=True, slots=True)
class Store:
    """A store with its address."""

    place: str
    rollouts: RolloutStore

    @classmethod
    def of(cls, at: str | None) -> "Store":
        """The store at the address, else at that of the environment; raises InvalidInput when there is none."""
        place = at or from_environment().rollout
        if place is None:
            raise InvalidInput("give ssm:/name or a file, or set RAXE_ROLLOUT", field="at")
        return cls(place, open_rollout(place, patient=True))


@dataclass(frozen=True, slots=True)
class How:
    """How an edit is made: only over this version, not at all, told as JSON."""

    if_version: int | None
    dry_run: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: the version in force (0 for none), what it says, what is to be in force, why, and its bytes."""

    now: StoredRollout
    before: Rollout
    after: Rollout
    note: str
    content: bytes


def edit_document(at: str | None, changed: Callable[[Rollout], Rollout], note: str, how: How) -> None:
    """Prints and writes what ``changed`` makes of the document in force, or of an empty one when there is none."""
    with reported():
        store = Store.of(at)
        try:
            now = store.rollouts.read()
            before = parse_rollout(now.content, now.version)
        except RolloutNotFound:
            now, before = StoredRollout(b"", 0, ""), Rollout()
        after = changed(before)
        made = Edit(now, before, after, note, dump_rollout(after))
    settled(store, made, how)


def settled(store: Store, edit: Edit, how: How) -> None:
    """Prints the edit and writes it, unless it is a dry run or changes nothing; ends the command when refused."""
    found = changes(edit.before, edit.after)
    version = edit.now.version
    with reported():
        try:
            if how.if_version not in (None, version):
                raise StoreConflict(f"version {version} is in force, not {how.if_version}")
            if found and not how.dry_run:
                version = store.rollouts.write(edit.content, version, edit.note)
        except StoreConflict as error:
            typer.echo(f"refused: {error}", err=True)
            raise typer.Exit(REFUSED) from None
    if how.as_json:
        written = bool(found) and not how.dry_run
        body = {"at": store.place, "version": version, "digest": parse_rollout(edit.content).digest}
        typer.echo(json.dumps({**body, "written": written, "diff": found, "document": json.loads(edit.content)}))
        return
    for line in found or ["nothing changes"]:
        typer.echo(line)
    if found:
        typer.echo("dry run: nothing was written" if how.dry_run else f"{store.place}: version {version}")


def changes(before: Rollout, after: Rollout) -> list[str]:
    """The lines that differ, with ``-`` and ``+`` before them."""
    return [line.rstrip() for line in ndiff(lines(before), lines(after)) if line[0] in "+-"]


def lines(rollout: Rollout) -> list[str]:
    """What a document says, a line a thing."""
    split, shadow, thresholds = rollout.challenger, rollout.shadow, sorted(rollout.thresholds.items())
    pairs = [
        ("l2", "on" if rollout.l2 else "off: rules only"),
        ("champion", rollout.champion or "as config.yaml says"),
        ("challenger", f"{split.model} {split.percent:g} %" if split else NONE),
        ("shadow", f"{shadow.model} {shadow.percent:g} %" if shadow else NONE),
        *([("salt", rollout.salt)] if rollout.salt else []),
        *((f"{source} from", f"review {limits.review:g}, block {limits.block:g}") for source, limits in thresholds),
        ("on failure", rollout.on_failure.value if rollout.on_failure else "as RAXE_ON_FAILURE says"),
    ]  # fmt: skip
    return [f"{name:14}{value}" for name, value in pairs]
