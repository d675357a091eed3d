"""``raxe rollout set``, ``canary``, ``promote``, ``on`` and ``off``: each prints what it changes, then writes."""

from dataclasses import replace
from typing import Annotated

import typer

from raxe.bootstrap import ModelRegistry
from raxe.cli.output import examples, reported
from raxe.cli.rollout_writing import NONE, AsJson, At, DryRun, How, IfVersion, edit_document
from raxe.errors import InvalidInput
from raxe.rollout import BUCKETS, Rollout, Split, buckets_of
from raxe.values import Decision, Source, Thresholds

app = typer.Typer()

Unchecked = Annotated[bool, typer.Option("--unchecked", help="Do not look for the models in the registry.")]


@app.command(
    "set",
    epilog=examples(
        "raxe rollout set --challenger ID",
        "raxe rollout set --shadow ID --shadow-percent 5",
        "raxe rollout set --threshold document=0.3,0.7 --on-failure block",
        "raxe rollout set --challenger none --dry-run",
    ),
)
def change(
    champion: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who answers; none: as config.yaml.", show_default=False)
    ] = None,
    challenger: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who may take its place, from 0 %.", show_default=False)
    ] = None,
    shadow: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who scores besides, unseen.", show_default=False)
    ] = None,
    shadow_percent: Annotated[
        str | None, typer.Option(metavar="P", help="Its share of the requests.", show_default=False)
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(metavar="SOURCE=REVIEW,BLOCK", help="Scores; may be repeated.")
    ] = None,
    on_failure: Annotated[
        str | None, typer.Option(metavar="DECISION", help="allow, review or block.", show_default=False)
    ] = None,
    salt: Annotated[str | None, typer.Option(help="Draw the subjects anew with this.", show_default=False)] = None,
    unchecked: Unchecked = False,
    at: At = None,
    if_version: IfVersion = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change the document, or write the first one; what is not named stays.

    A name is the id or an alias of a model; none takes something out (--threshold SOURCE=none). Exit code: 0 done,
    1 refused because somebody else wrote meanwhile, 2 error, such as an unknown model.
    """

    def changed(now: Rollout) -> Rollout:
        made = now if champion is None else replace(now, champion=_name(champion))
        if challenger is not None and (now.challenger is None or now.challenger.model != challenger):
            made = replace(made, challenger=None if challenger == NONE else Split(challenger))
        made = _with_shadow(made, shadow, shadow_percent)
        made = made if salt is None else replace(made, salt=_name(salt))
        made = made if on_failure is None else replace(made, on_failure=_decision(on_failure))
        return replace(made, thresholds=_with_thresholds(made, threshold or []))

    names = [name for name in (champion, challenger, shadow) if name not in {None, NONE}]
    with reported():
        for name in [] if unchecked else names:
            ModelRegistry().get_model(str(name))
    edit_document(at, changed, "set", How(if_version, dry_run, as_json))


@app.command(
    epilog=examples("raxe rollout canary 10", "raxe rollout canary 50 --if-version 7", "raxe rollout canary 0")
)
def canary(
    percent: Annotated[str, typer.Argument(metavar="PERCENT", help="0 to 100, two decimals.", show_default=False)],
    at: At = None,
    if_version: IfVersion = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give the challenger this share of the subjects: 10, then 50, then 100.

    A larger share keeps all whom it had. Exit code: 0 done, 1 refused because somebody else wrote meanwhile, 2 error.
    """

    def changed(now: Rollout) -> Rollout:
        return replace(now, challenger=Split(_challenger(now).model, buckets_of(percent)))

    edit_document(at, changed, f"canary {percent}", How(if_version, dry_run, as_json))


@app.command(epilog=examples("raxe rollout promote", "raxe rollout promote --dry-run"))
def promote(at: At = None, if_version: IfVersion = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Make the challenger the champion; there is no challenger then.

    Exit code: 0 done, 1 refused because somebody else wrote meanwhile, 2 error, such as no challenger.
    """

    def changed(now: Rollout) -> Rollout:
        return replace(now, champion=_challenger(now).model, challenger=None)

    edit_document(at, changed, "promote", How(if_version, dry_run, as_json))


@app.command(epilog=examples("raxe rollout off", "raxe rollout off --at ssm:/raxe/prod/rollout"))
def off(at: At = None, if_version: IfVersion = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Turn every model off: the rules answer alone.

    Exit code: 0 done, 1 refused because somebody else wrote meanwhile, 2 error.
    """
    edit_document(at, lambda now: replace(now, l2=False), "off", How(if_version, dry_run, as_json))


@app.command(epilog=examples("raxe rollout on"))
def on(at: At = None, if_version: IfVersion = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Turn the models on again.

    Exit code: 0 done, 1 refused because somebody else wrote meanwhile, 2 error.
    """
    edit_document(at, lambda now: replace(now, l2=True), "on", How(if_version, dry_run, as_json))


def _challenger(now: Rollout) -> Split:
    if now.challenger is None:
        raise InvalidInput("there is none; raxe rollout set --challenger ID", field="challenger")
    return now.challenger


def _with_shadow(now: Rollout, name: str | None, percent: str | None) -> Rollout:
    if name == NONE:
        return replace(now, shadow=None)
    model = name or (now.shadow.model if now.shadow else None)
    if model is None:
        if percent is not None:
            raise InvalidInput("there is no shadow; give --shadow ID too", field="shadow-percent")
        return now
    share = now.shadow.buckets if now.shadow else BUCKETS
    return replace(now, shadow=Split(model, share if percent is None else buckets_of(percent)))


def _with_thresholds(now: Rollout, given: list[str]) -> dict[Source, Thresholds]:
    found = dict(now.thresholds)
    for each in given:
        name, _, limits = each.partition("=")
        try:
            source = Source(name)
            if limits == NONE:
                found.pop(source, None)
                continue
            review, block = (float(limit) for limit in limits.split(","))
        except ValueError:
            message = f"must be SOURCE=REVIEW,BLOCK or SOURCE=none, SOURCE one of {', '.join(Source)}"
            raise InvalidInput(message, field="threshold") from None
        found[source] = Thresholds(review, block)
    return found


def _decision(raw: str) -> Decision | None:
    if raw == NONE:
        return None
    try:
        return Decision(raw)
    except ValueError:
        raise InvalidInput(f"must be one of {', '.join(Decision)}, or none", field="on-failure") from None


def _name(raw: str) -> str | None:
    return None if raw == NONE else raw
