"""The report on one model: a page of HTML with tables and plots, without script, network or any row's text."""

import re
from html import escape
from pathlib import Path
from string import Template

from raxe_ml.measured import Measured
from raxe_ml.plots import Plot, plots
from raxe_ml.tables import family_table, latency_table, overall_table, slice_tables, target_table

TEMPLATE = Path(__file__).parent.parent / "report.html.template"


def write_report(measured: Measured, folder: Path) -> Path:
    """Writes ``<model_id>.html`` below ``folder`` and returns its path."""
    path = folder / f"{measured.metadata.model_id}.html"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(page(measured), encoding="utf-8")
    return path


def page(measured: Measured) -> str:
    """The whole page."""
    metadata, figures = measured.metadata, measured.figures
    facts = {
        "model": metadata.model_id,
        "version": metadata.version,
        "digest": figures["digest"],
        "machine": figures["machine"],
        "command": figures["command"],
    }
    slices = slice_tables(measured)
    main = (target_table(measured), overall_table(measured), slices.pop("origins"), family_table(measured))
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=escape(f"{metadata.name} {metadata.version}"),
        facts="\n".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items()),
        tables="\n".join(_scrolling(table.html()) for table in (*main, latency_table(measured))),
        plots="\n".join(map(_figure, plots(measured.test, measured.config.targets.fpr))),
        slices="\n".join(
            f"<details><summary>{escape(table.title)}</summary>\n{_scrolling(table.html())}\n</details>"
            for table in slices.values()
        ),
    )


def _scrolling(table: str) -> str:
    return f'<div class="scroll">\n{table}\n</div>'


def _figure(plot: Plot) -> str:
    # Inside HTML the drawing needs neither document type nor names of name spaces, which look like addresses.
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", plot.svg[plot.svg.index("<svg ") :])
    caption = f"<figcaption>{escape(plot.caption)}</figcaption>"
    return f"<figure>\n<h3>{escape(plot.title)}</h3>\n{svg.strip()}\n{caption}\n</figure>"
