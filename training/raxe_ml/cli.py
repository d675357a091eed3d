"""``raxe-ml``: the stages of the training pipeline, in order. Each reads what the one before wrote below ``--work``."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from raxe_ml.config import Quantization, TrainConfig, load_config, quantized
from raxe_ml.config import smoke as cut_down
from raxe_ml.corpus.cli import app as corpus
from raxe_ml.errors import Refused

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_show_locals=False)
app.add_typer(corpus, name="corpus")

Config = Annotated[Path, typer.Option(help="configuration of the model")]
Data = Annotated[Path, typer.Option(help="folder that holds the shards, *.jsonl or *.jsonl.gz, in any sub-folder")]
Work = Annotated[Path, typer.Option(help="folder for what the stages pass on")]
Smoke = Annotated[bool, typer.Option(help="a slice of the corpus, one epoch: do the stages work?")]
Precision = Annotated[Quantization, typer.Option("--quantization", help="int8 is served; others get ids of their own")]
Models = Annotated[Path, typer.Option(help="the models folder to write into")]

_CONFIG, _DATA = Path("training/configs/minilm-l6.yaml"), Path("data")
_WORK, _MODELS = Path("build/train"), Path("models")
_REPORT, _DOCS = Path("build/report"), Path("docs")

# The stages import torch and scikit-learn, slow and not in every environment: each command brings in its own.
# ruff: noqa: PLC0415


def _loaded(path: Path, *, smoke: bool) -> TrainConfig:
    return cut_down(load_config(path)) if smoke else load_config(path)


@app.command()
def data(config: Config = _CONFIG, data: Data = _DATA, work: Work = _WORK) -> None:
    """Compose train.jsonl, dev.jsonl and test.jsonl from the shards; splits go by source."""
    from raxe_ml.prepare import prepare

    for name, count in prepare(load_config(config), data, work).items():
        print(f"{name}: {count} rows")


@app.command()
def doubts(
    out: Annotated[Path, typer.Option(help="the file of digests to write")],
    config: Config = _CONFIG,
    data: Data = _DATA,
    work: Work = _WORK,
) -> None:
    """List the shards' rows whose label is not believed; --work holds a run on the corpus alone."""
    from raxe_ml.corpus.rows import load_corpus
    from raxe_ml.doubts import rows_to_judge, write_doubts
    from raxe_ml.embed import embed
    from raxe_ml.export import load_network

    loaded = load_config(config)
    rows = rows_to_judge(loaded, data, load_corpus().train)
    vectors = embed(load_network(loaded, work), rows, loaded)
    for name, (doubted, looked) in write_doubts(rows, vectors, loaded.seed, out).items():
        print(f"{doubted / looked:6.1%} {doubted:5} of {looked:5}  {name}")


@app.command()
def train(config: Config = _CONFIG, data: Data = _DATA, work: Work = _WORK, smoke: Smoke = False) -> None:
    """Fine-tune encoder and heads; a stopped run goes on from its last epoch."""
    from raxe_ml.prepare import prepare
    from raxe_ml.train import train as run

    loaded = _loaded(config, smoke=smoke)
    if not (work / "train.jsonl").exists():
        prepare(loaded, data, work)
    print(run(loaded, work, lambda line: print(line, flush=True)))


@app.command()
def average(
    of: Annotated[list[Path], typer.Option(help="work folder of a finished run; give two or more")],
    config: Config = _CONFIG,
    work: Work = _WORK,
) -> None:
    """Average the weights of finished runs into --work, and print the AUROC of each and of the mean on rows of dev."""
    from raxe_ml.average import average as run

    for name, auroc in run(load_config(config), of, work):
        print(f"{auroc:.4f}  {name}")


@app.command()
def ablate(
    config: Config = _CONFIG,
    work: Work = _WORK,
    limit: Annotated[int, typer.Option(min=1000, help="rows of train.jsonl to learn from")] = 40_000,
) -> None:
    """Print what each kind of data is worth on held-out rows; --work holds what `data` composed."""
    from raxe_ml.ablate import ablate as run

    print("| without | rows | AUROC topics | AUROC shards | recall topics | recall shards |")
    print("|---|---:|---:|---:|---:|---:|")
    run(load_config(config), work, limit, lambda found: print(found.line(), flush=True))


@app.command()
def export(config: Config = _CONFIG, work: Work = _WORK, quantization: Precision = "int8") -> None:
    """Export the fused encoder; fails when it does not agree with torch, or loses recall."""
    from raxe_ml.export import export_encoder

    path = export_encoder(quantized(load_config(config), quantization), work)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@app.command()
def bundle(
    config: Config = _CONFIG, work: Work = _WORK, models: Models = _MODELS, quantization: Precision = "int8"
) -> None:
    """Calibrate, choose thresholds, and write the model below the models folder."""
    from raxe_ml.package import Packager

    loaded = quantized(load_config(config), quantization)
    print(Packager(loaded, config, work, models, dt.datetime.now(dt.UTC).date().isoformat()).run())


@app.command()
def benchmark(
    config: Config = _CONFIG,
    work: Work = _WORK,
    models: Models = _MODELS,
    report: Annotated[Path, typer.Option(help="folder of the HTML report")] = _REPORT,
    quantization: Precision = "int8",
) -> None:
    """Measure the model on the held-out sources: figures into metadata and models/benchmarks, a report in HTML."""
    from raxe_ml.measure import measure
    from raxe_ml.measured import load_measured
    from raxe_ml.report import write_report

    loaded = quantized(load_config(config), quantization)
    measure(loaded, work, models)
    print(write_report(load_measured(loaded, work, models), report))


@app.command()
def card(
    config: Config = _CONFIG,
    data: Data = _DATA,
    work: Work = _WORK,
    models: Models = _MODELS,
    docs: Annotated[Path, typer.Option(help="folder of model-card.md and its plots")] = _DOCS,
) -> None:
    """Write the model card and its plots from what was measured; the shards' folder says the sources' licences."""
    from raxe_ml.card import write_card
    from raxe_ml.measured import load_measured

    print(write_card(load_measured(load_config(config), work, models), data, docs))


@app.command()
def validate(config: Config = _CONFIG, models: Models = _MODELS) -> None:
    """Compare the measured figures of the model with the targets of its configuration; exits with 1 below them."""
    from raxe_ml.measure import against_targets

    missed = 0
    for line, passed in against_targets(load_config(config), models):
        print(f"{'pass' if passed else 'MISS'}  {line}")
        missed += not passed
    raise typer.Exit(code=int(missed > 0))


@app.command()
def run(
    config: Config = _CONFIG,
    data: Data = _DATA,
    work: Work = _WORK,
    models: Models = _MODELS,
    smoke: Smoke = False,
) -> None:
    """All stages in order, from data to figures."""
    from raxe_ml.export import export_encoder
    from raxe_ml.measure import measure
    from raxe_ml.measured import load_measured
    from raxe_ml.package import Packager
    from raxe_ml.prepare import prepare
    from raxe_ml.report import write_report
    from raxe_ml.train import train as fit

    chosen = _loaded(config, smoke=smoke)
    print(dict(prepare(chosen, data, work)))
    fit(chosen, work, lambda line: print(line, flush=True))
    export_encoder(chosen, work)
    print(Packager(chosen, config, work, models, dt.datetime.now(dt.UTC).date().isoformat()).run())
    print(measure(chosen, work, models).overall.figures)
    print(write_report(load_measured(chosen, work, models), _REPORT))


@app.command()
def rules(data: Data = _DATA) -> None:
    """Print how often the rules hit benign rows, and their recall by family."""
    from raxe_ml.rules_report import print_report, report

    print_report(report(data))


def main() -> None:
    """Runs the command line; what a stage refuses is printed, and the exit status is 2."""
    try:
        app()
    except (Refused, ValidationError, FileNotFoundError) as error:
        print(f"raxe-ml: {error}", file=sys.stderr)
        sys.exit(2)
