"""``raxe rules``: what the rules are, and whether their own examples hold."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from raxe.cli.output import examples, reported, show, table
from raxe.detectors import RuleDetector
from raxe.rules import Rule, RuleSet, load_rules, write_literals
from raxe.text import prepare
from raxe.values import Family

app = typer.Typer(
    help="The rules of L1.", epilog=examples("raxe rules list", "raxe rules COMMAND --help"), no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("raxe rules list --family ENC", "raxe rules list --json"))
def list_rules(
    family: Annotated[Family | None, typer.Option(help="Only this family.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, patterns and examples included.")] = False,
) -> None:
    """List the rules. Exit code: 0, or 2 when they cannot be read."""
    with reported():
        found = [rule for rule in load_rules() if family in (None, rule.family)]
    if as_json:
        typer.echo(json.dumps([asdict(rule) for rule in found]))
        return
    made = table(["rule", "severity", "conf.", "subfamily", "description"])
    for rule in found:
        made.add_row(rule.id, rule.severity.value, f"{rule.confidence:.2f}", rule.subfamily, rule.description)
    show(made)


@app.command(epilog=examples("raxe rules check", "raxe rules check --json"))
def check(as_json: AsJson = False) -> None:
    """Run every rule on its own examples.

    Exit code: 0 all hold, 1 some do not, 2 the rules cannot be read.
    """
    with reported():
        checked = load_rules()
        wrong = list(broken_examples(checked))
    if as_json:
        broken = [{"rule_id": rule_id, "example": example} for rule_id, example in wrong]
        typer.echo(json.dumps({"rules": len(checked), "broken": broken}))
    else:
        for rule_id, example in wrong:
            typer.echo(f"{rule_id}: {example}")
        typer.echo(f"{len(checked)} rules, {len({rule_id for rule_id, _ in wrong})} fail")
    raise typer.Exit(int(bool(wrong)))


@app.command(name="compile", epilog=examples("raxe rules compile"))
def compile_rules(as_json: AsJson = False) -> None:
    """Store the literals of all patterns.

    This spares every cold start the reading. Run it after a change. Exit code: 0, or 2 for an error.
    """
    with reported():
        written = str(write_literals())
    typer.echo(json.dumps({"file": written}) if as_json else written)


def broken_examples(checked: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    """The id of each rule and the place of each example that does not do what it should, read as a scan reads it.

    Raises: InvalidRules: re2 refuses a pattern.
    """
    rules = RuleSet(checked)
    rules.check()
    detector = RuleDetector(rules)
    for rule in checked:
        for name, texts, should in (("matches", rule.matches, True), ("not_matches", rule.not_matches, False)):
            for number, found in enumerate(detector.detect([prepare(text) for text in texts]), 1):
                if any(detection.rule_id == rule.id for detection in found.detections) is not should:
                    yield rule.id, f"{name} {number} {'does not match' if should else 'matches'}"
