"""``raxe rollout show``, ``history``, ``diff`` and ``rollback``: the document that decides which model answers whom."""

import json
from typing import Annotated

import typer

from raxe.cli import rollout_edits, rollout_watch
from raxe.cli.output import examples, facts, reported, show, table
from raxe.cli.rollout_writing import AsJson, At, DryRun, Edit, How, IfVersion, Store, changes, lines, settled
from raxe.errors import InvalidInput, InvalidRollout
from raxe.protocols import StoredRollout
from raxe.rollout import BY_ALARM, Rollout, parse_rollout, previous, rollback_note

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Decide which model answers whom, without a deploy."
)
app.add_typer(rollout_edits.app)
app.add_typer(rollout_watch.app)


@app.command("show", epilog=examples("raxe rollout show", "raxe rollout show --at ssm:/raxe/prod/rollout --json"))
def show_document(at: At = None, as_json: AsJson = False) -> None:
    """Show the document in force.

    Exit code: 0, or 2 for an error, such as a document that is missing or not valid.
    """
    with reported():
        store = Store.of(at)
        stored = store.rollouts.read()
        rollout = parse_rollout(stored.content, stored.version)
    if as_json:
        body = {"at": store.place, "version": stored.version, "written": stored.at, "note": stored.note}
        typer.echo(json.dumps({**body, "digest": rollout.digest, "document": json.loads(stored.content)}))
        return
    version = f"{stored.version} of {stored.at}{f', {stored.note}' if stored.note else ''}"
    show(facts([("at", store.place), ("version", version), ("digest", rollout.digest)]))
    for line in lines(rollout):
        typer.echo(line)


@app.command(epilog=examples("raxe rollout history", "raxe rollout history --json"))
def history(at: At = None, as_json: AsJson = False) -> None:
    """Show the versions that are kept, 100 at most, the one in force last.

    Exit code: 0, or 2 for an error.
    """
    with reported():
        entries = Store.of(at).rollouts.history()
    rows = [
        {"version": each.version, "written": each.at, "digest": _digest(each), "note": each.note} for each in entries
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    made = table(["version", "written", "digest", "why"])
    for row in rows:
        made.add_row(str(row["version"]), str(row["written"]), str(row["digest"])[:19], str(row["note"]) or "-")
    show(made if rows else "no versions")


@app.command(epilog=examples("raxe rollout diff", "raxe rollout diff 3 7 --json"))
def diff(
    first: Annotated[int | None, typer.Argument(metavar="FROM", help="A version.", show_default=False)] = None,
    second: Annotated[int | None, typer.Argument(metavar="TO", help="Another one.", show_default=False)] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two versions: by default what a rollback would take back.

    With one version: between that and the one in force. Exit code: 0 they say the same, 1 they differ, 2 error.
    """
    with reported():
        entries = Store.of(at).rollouts.history()
        before, after = previous(entries, first), previous(entries, second) if second else entries[-1]
        found = changes(_parsed(before), _parsed(after))
    if as_json:
        typer.echo(json.dumps({"from": before.version, "to": after.version, "diff": found}))
    else:
        typer.echo("\n".join([f"version {before.version} -> {after.version}", *(found or ["they say the same"])]))
    raise typer.Exit(int(bool(found)))


@app.command(epilog=examples("raxe rollout rollback", "raxe rollout rollback --to 4 --dry-run"))
def rollback(
    to: Annotated[int | None, typer.Option(help="This version; else the one before.", show_default=False)] = None,
    at: At = None,
    if_version: IfVersion = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put the version before into force again; once more goes one further back.

    It works on a document that is not valid, too. After an alarm rolled back, the version before is the bad one: then
    --to must name it. Exit code: 0 done, 1 refused because somebody else wrote meanwhile,
    2 error, such as no version before.
    """
    with reported():
        store = Store.of(at)
        entries = store.rollouts.history()
        if to is None and entries and entries[-1].note.startswith(BY_ALARM):
            raise InvalidInput(f"an alarm made version {entries[-1].version}: name the version to go to", field="to")
        target = previous(entries, to)
        parse_rollout(target.content)  # what is not valid is not gone back to
        try:
            before = _parsed(entries[-1])
        except InvalidRollout:
            before = Rollout()
        edit = Edit(entries[-1], before, _parsed(target), rollback_note(target.version), target.content)
    settled(store, edit, How(if_version, dry_run, as_json))


def _parsed(stored: StoredRollout) -> Rollout:
    return parse_rollout(stored.content, stored.version)


def _digest(stored: StoredRollout) -> str:
    try:
        return _parsed(stored).digest
    except InvalidRollout:
        return "not valid"
