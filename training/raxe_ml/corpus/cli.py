"""``raxe-ml corpus``: the gates, the counts and the freezing of the written corpus."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from raxe_ml.corpus.against import shared_with
from raxe_ml.corpus.batch import add_batch
from raxe_ml.corpus.counts import tables
from raxe_ml.corpus.gates import GATES, Finding, write_sums
from raxe_ml.corpus.rows import CORPUS, Corpus, load_corpus
from raxe_ml.shards import load_shards

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_show_locals=False)

Folder = Annotated[Path, typer.Option(help="folder of the topic files")]


@app.command()
def check(
    folder: Folder = CORPUS,
    against: Annotated[Path | None, typer.Option(help="folder of shards that no row may be taken from")] = None,
) -> None:
    """Run every quality gate; exits with 1 when one fails."""
    corpus, console = load_corpus(folder), Console(highlight=False)
    findings = [finding for gate in GATES for finding in gate(corpus, folder)]
    if against is not None:
        findings.append(_not_taken(corpus, against))
    for finding in findings:
        mark = "[green]pass[/]" if finding.passed else "[red]FAIL[/]"
        console.print(f"{mark}  {finding.gate}: {finding.figure} ({escape(finding.bound)})", soft_wrap=True)
        for example in finding.examples:
            console.print(f"        {escape(example)}", soft_wrap=True)
    failed = sum(not finding.passed for finding in findings)
    console.print(f"{len(corpus.rows):,} rows, {len(findings)} figures, {failed} fail")
    raise typer.Exit(code=int(failed > 0))


@app.command()
def add(
    batch: Annotated[Path, typer.Argument(help="texts in the form of raxe_ml/corpus/batch.py")],
    topic: Annotated[Path, typer.Argument(help="the topic file to append to, made when it is not there")],
) -> None:
    """Append a batch of written texts to a topic file; nothing is written when one entry is wrong."""
    try:
        print(f"{add_batch(batch, topic)} rows added")
    except ValueError as error:
        print(error)
        raise typer.Exit(code=2) from None


@app.command()
def counts(folder: Folder = CORPUS) -> None:
    """Print the counts of the data card as Markdown tables."""
    print("\n".join(tables(load_corpus(folder))))


@app.command()
def freeze(folder: Folder = CORPUS) -> None:
    """Write the checksums of the test part; only when its rows were chosen or a resolution changed one."""
    print(write_sums(folder))


def _not_taken(corpus: Corpus, against: Path) -> Finding:
    """No row shares a text, or a run of twelve words, with a shard."""
    others = load_shards(against, drop=(), weights={})
    found = shared_with(corpus.rows, others)
    examples = tuple(f"{key}: {', '.join(names)}" for key, names in list(found.items())[:8])
    return Finding("rows that share text with a shard", str(len(found)), "0", not found, examples)
