"""Stage ``card``: docs/model-card.md and its plots, from the measured figures and a template of hand-written parts."""

from pathlib import Path
from string import Template

from raxe_ml.calibrate import PREVALENCE, REVIEW_FPR
from raxe_ml.corpus.rows import CORPUS, load_corpus
from raxe_ml.figures import LEVEL, RESAMPLES
from raxe_ml.measured import Measured
from raxe_ml.plots import plots
from raxe_ml.sources import DataSource, by_licence, used_sources
from raxe_ml.tables import Table, family_table, latency_table, overall_table, slice_tables, target_table

TEMPLATE = Path(__file__).parent.parent / "model-card.md.template"
CARD = "model-card"  # the file, and the folder of its plots


def write_card(measured: Measured, data: Path, docs: Path) -> Path:
    """Writes ``model-card.md`` and ``model-card/*.svg`` below ``docs``, returns the card's path.

    Raises:
        ValueError: a source is used whose licence nothing states.
    """
    sources = used_sources(measured.config, data, {each.source for each in measured.test})
    folder = docs / CARD
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots(measured.test, measured.config.targets.fpr)
    for plot in drawn:
        (folder / f"{plot.name}.svg").write_text(plot.svg, encoding="utf-8")
    shown = "\n\n".join(
        f"![{plot.title}]({CARD}/{plot.name}.svg)\n\n**{plot.title}.** {plot.caption}" for plot in drawn
    )
    slices = slice_tables(measured)
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        _facts(measured),
        targets=target_table(measured).markdown(),
        missed=_missed(measured),
        overall=overall_table(measured).markdown(),
        origins=slices.pop("origins").markdown(),
        families=family_table(measured).markdown(),
        latency=latency_table(measured).markdown(),
        slices="\n\n".join(_folded(table) for table in slices.values()),
        corpus=_corpus_table(measured).markdown(),
        licences=_licence_table(sources).markdown(),
        sources=_folded(_source_table(sources)),
        plots=shown,
    )
    path = docs / f"{CARD}.md"
    path.write_text(text, encoding="utf-8")
    return path


def _facts(measured: Measured) -> dict[str, str]:
    """What the sentences of the template name."""
    config, metadata = measured.config, measured.metadata
    training = metadata.training_info
    generated = config.composed if config.shards else None
    return {
        "model_id": metadata.model_id,
        "name": f"{metadata.name} {metadata.version}",
        "digest": measured.figures["digest"],
        "machine": measured.figures["machine"],
        "command": measured.figures["command"],
        "base_model": config.base_model,
        "description": metadata.description,
        "size_mb": f"{metadata.file_info.size_mb:.1f}",
        "quantization": metadata.ml_config.quantization,
        "max_length": str(config.max_length),
        "stride": str(config.stride),
        "date": training.date if training else "not stated",
        "train_rows": f"{training.rows:,}" if training else "not stated",
        "epochs": str(config.epochs),
        "seed": str(config.seed),
        "generated": f"{sum(generated.model_dump().values()):,}" if generated else "no",
        "cap": f"{config.cap_per_shard:,}",
        "prevalence": f"{PREVALENCE:.0%}".replace("%", " %"),
        "review_fpr": f"{100 * REVIEW_FPR:g} %",
        "level": f"{LEVEL:.0%}".replace("%", " %"),
        "resamples": f"{RESAMPLES:,}",
        "dropped": ", ".join(f"`{name}`" for name in config.drop) or "none",
    }


def _missed(measured: Measured) -> str:
    missed = [each for each in measured.targets if each.missed_by]
    return "\n".join(
        f"* **{each.name}** is {each.measured:.4f} where {each.wanted} is wanted: missed by {each.missed_by:.4f}."
        for each in missed
    ) or "* Every target of the configuration is reached."  # fmt: skip


def _corpus_table(measured: Measured) -> Table:
    corpus = load_corpus(CORPUS)
    spared = set(measured.config.corpus.dev)
    parts = {
        "train": [row for row in corpus.train if row.topic in measured.topics],
        "dev": [row for row in corpus.train if row.topic in spared],
        "test (frozen)": corpus.test,
    }
    rows = [
        (name, f"{len({row.topic for row in part}):,}", f"{attacks:,}", f"{len(part) - attacks:,}")
        for name, part in parts.items()
        for attacks in (sum(row.label for row in part),)
    ]
    return Table("The written corpus", ("part", "topics", "attacks", "benign"), tuple(rows))


def _licence_table(sources: list[DataSource]) -> Table:
    rows = [(licence, f"{count:,}", f"{rows:,}") for licence, count, rows in by_licence(sources)]
    return Table("Licences", ("licence of the texts", "sources", "rows"), tuple(rows))


def _source_table(sources: list[DataSource]) -> Table:
    rows = [
        (each.shard, each.part, each.repository, each.commit, each.licence, f"{each.rows:,}") for each in sources
    ]  # fmt: skip
    header = ("shard", "part", "repository", "commit", "licence", "rows")
    return Table("Every public source", header, tuple(rows), words=5)


def _folded(table: Table) -> str:
    return f"<details>\n<summary>{table.title}</summary>\n\n{table.markdown()}\n\n</details>"
