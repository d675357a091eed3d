"""``raxe models test``, ``compare`` and ``benchmark``: what models do with texts, measured now.

No text is printed unless it is asked for: a line number and the beginning of its SHA-256 stand in its place.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from raxe.bootstrap import ModelRegistry, build_model_engine, cache_folder, open_store
from raxe.cli.ids import ModelId, known_ids
from raxe.cli.output import cell, examples, fail, reported, tracked
from raxe.cli.sides import answer_body, counts, show_answers, show_run, show_stored, smoke_note
from raxe.files import replace_file
from raxe.measuring import Run, SampleSet, document, page, read_samples, smoke_samples
from raxe.measuring import running as runs
from raxe.measuring.resident import memory_mb
from raxe.registry import ModelFiles, Status, record_memory
from raxe.settings import from_environment

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Prompts = Annotated[
    Path | None,
    typer.Option(help="*.jsonl of {text, label?: 0|1, role?}, else a text a line.", show_default=False),
]
Iterations = Annotated[int, typer.Option(min=1, max=10_000, help="Passes over the texts.")]


@app.command("test", epilog=examples("raxe models test ID", "raxe models test ID --prompts rows.jsonl --max-fpr 0.01"))
def try_model(
    model_id: ModelId,
    prompts: Prompts = None,
    min_recall: Annotated[float, typer.Option(min=0, max=1, help="Least share of attacks to flag.")] = 1.0,
    max_fpr: Annotated[float, typer.Option(min=0, max=1, help="Largest share of benign texts to flag.")] = 0.0,
    show_texts: Annotated[bool, typer.Option("--show-texts", help="Print the texts too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Scan texts with one model and show each verdict.

    The rules scan too, as in serving. Without --prompts the texts are a small smoke set that ships with the package. A
    text is flagged when its verdict is review or block, or when it is refused. Texts are shown as line and SHA-256.
    Exit code: 0 recall and FPR hold, or there are no labels; 1 one does not hold, or a layer did not answer; 2 error.
    """
    with reported():
        samples = _samples(prompts)
        engine = build_model_engine(model_id, from_environment())
    texts = samples.samples
    answers = [runs.answer(engine, each) for each in tracked(texts, "scanning", len(texts))]
    found, failed = runs.fit(samples, answers), sum(each.failed for each in answers)
    holds = (found.recall is None or found.recall >= min_recall) and (found.fpr is None or found.fpr <= max_fpr)
    passed = holds and not failed
    if as_json:
        rows = [answer_body(*pair, show_texts=show_texts) for pair in zip(texts, answers, strict=True)]
        totals = {"recall": found.recall, "fpr": found.fpr, "failed": failed, "passed": passed}
        typer.echo(json.dumps({"model_id": model_id, "prompts": counts(samples), **totals, "answers": rows}))
    else:
        show_answers(samples, answers, show_texts=show_texts)
        words = [f"recall {cell(found.recall)} of {samples.attacks}", f"FPR {cell(found.fpr)} of {samples.benign}"]
        typer.echo(f"{', '.join(words)}{smoke_note(samples)}{f'; {failed} failed' if failed else ''}")
    raise typer.Exit(int(not passed))


@app.command(epilog=examples("raxe models compare A B", "raxe models compare A B --prompts rows.jsonl --json"))
def compare(
    model_ids: Annotated[
        list[str],
        typer.Argument(metavar="ID", help="Two models or more.", show_default=False, autocompletion=known_ids),
    ],
    prompts: Prompts = None,
    iterations: Iterations = 5,
    as_json: AsJson = False,
) -> None:
    """Show the figures of models side by side.

    Accuracy, latency, memory and size, as their metadata has them, or with --prompts measured now on these texts, in
    one run in which scans of the models take turns. What is not known is a dash (null in JSON). Exit code: 0, or 2 for
    an error.
    """
    with reported():
        if len(model_ids) < 2:
            fail("give two models or more")
        if prompts is None:
            show_stored(ModelRegistry().compare_models(model_ids).figures(), as_json=as_json)
            return
        run = _measured(model_ids, read_samples(prompts), iterations)
    show_run(run, [], as_json=as_json)


@app.command(
    epilog=examples("raxe models benchmark", "raxe models benchmark A B --iterations 50 --prompts rows.jsonl --write")
)
def benchmark(
    model_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Models; without one all active ones.",
            show_default=False,
            autocompletion=known_ids,
        ),
    ] = None,
    prompts: Prompts = None,
    iterations: Iterations = 20,
    out: Annotated[
        Path | None, typer.Option(help="Folder; else benchmarks in RAXE_MODELS_DIR.", show_default=False)
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put the measured memory into the metadata.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure accuracy, latency and memory of models in one run.

    Their scans take turns, so that a busy machine slows all of them alike. Memory is that of a fresh process after 200
    scans. Writes ID_measured.json for each model and measured.html with plots. Without --prompts the texts are a smoke
    set. Exit code: 0, or 2 for an error.
    """
    with reported():
        settings = from_environment()
        ids = model_ids or [model.model_id for model in ModelRegistry().list_models(Status.ACTIVE)]
        run = _measured(ids, _samples(prompts), iterations)
        written = _write(run, out or settings.models_dir / "benchmarks")
        if write:
            store = open_store(settings)
            files = ModelFiles(store, cache_folder(settings))
            for model in run.models:
                if model.memory_mb is not None:
                    written.append(record_memory(store, files, model.model_id, model.memory_mb))
    show_run(run, written, as_json=as_json)


def _samples(prompts: Path | None) -> SampleSet:
    return read_samples(prompts) if prompts else smoke_samples()


def _measured(model_ids: Sequence[str], samples: SampleSet, iterations: int) -> Run:
    """The run, with bars; raises as ``raxe.measuring.measure``."""
    bench = runs.prepare(model_ids, samples, from_environment(), iterations)
    before = (runs.now(), runs.load_average())
    timed = list(tracked(runs.interleaved(bench), "measuring latency", bench.scans))
    engines = tracked(bench.engines, "measuring memory", len(bench.engines))
    return runs.finished(bench, timed, before, [memory_mb(engine, samples) for engine in engines])


def _write(run: Run, folder: Path) -> list[str]:
    """The names of the files that were written."""
    documents = {
        # No id has an underscore: no file of another model, nor one of `raxe-ml benchmark`, has this name.
        f"{model.model_id}_measured.json": document(run, model).model_dump_json(indent=1) + "\n"
        for model in run.models
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {**documents, "measured.html": page(run)}.items():
            replace_file(folder / name, lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]
    except OSError as error:
        fail(f"{folder}: {error.strerror}")
    return [str(folder / name) for name in [*documents, "measured.html"]]
