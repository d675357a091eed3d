"""The quality gates of the corpus; ``raxe-ml corpus check`` runs them all.

Each gate is a function from the corpus to ``Finding``s: a figure beside its bound, and row ids where it fails.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from raxe_ml.corpus.agreement import JUDGEMENTS, agreement, load_judgements
from raxe_ml.corpus.copies import ACROSS, WITHIN, near_copies
from raxe_ml.corpus.guessing import guess_from_shape, guess_from_words
from raxe_ml.corpus.rows import TEST, Corpus, CorpusRow
from raxe_ml.corpus.safety import unsafe
from raxe_ml.corpus.words import BUCKETS, length_bucket
from raxe_ml.taxonomy import load_taxonomy

ATTACKS, BENIGN_ROWS, PAIRS, PER_SUBFAMILY = 8_000, 12_000, 4_000, 120
LANGUAGES, NOT_ENGLISH = 16, 0.10
OPENING_WORDS, OPENING_SHARE = 4, 0.01
SHAPE_AUROC, WORDS_AUROC = 0.60, 0.90
LENGTH_GAP = 0.05  # largest difference of the two sides' shares in one length bucket
TEST_SHARE = (0.13, 0.17)  # of the rows, 0.15 by topic file
KAPPA = 0.8  # from which agreement is called almost perfect (Landis and Koch, 1977)
SUMS = "SHA256SUMS"  # of the frozen part, as sha256sum writes and checks them
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure beside its bound; ``examples`` name rows, never their text."""

    gate: str
    figure: str
    bound: str
    passed: bool
    examples: tuple[str, ...] = ()


Gate = Callable[[Corpus, Path], Iterator[Finding]]


def schema(corpus: Corpus, _folder: Path) -> Iterator[Finding]:
    """Every line is a valid row with an id of its own."""
    twice = [f"{key} twice" for key, count in Counter(row.id for row in corpus.rows).items() if count > 1]
    wrong = [*corpus.faults, *twice]
    yield Finding("lines that are no valid row", str(len(wrong)), "0", not wrong, tuple(wrong[:_SHOWN]))


def counts(corpus: Corpus, _folder: Path) -> Iterator[Finding]:
    """There are enough rows of each label and subfamily, enough pairs and languages."""
    attacks, benign = _sides(corpus.rows)
    yield _at_least("attack rows", len(attacks), ATTACKS)
    yield _at_least("benign rows", len(benign), BENIGN_ROWS)
    yield _at_least("contrast pairs", len(pairs(corpus.rows)), PAIRS)
    by_name = Counter(row.subfamily for row in attacks)
    few = [f"{entry.id} {by_name[entry.id]}" for entry in load_taxonomy() if by_name[entry.id] < PER_SUBFAMILY]
    least = min(by_name[entry.id] for entry in load_taxonomy())
    yield Finding("fewest attack rows of a subfamily", str(least), f">= {PER_SUBFAMILY}", not few, tuple(few))
    yield _at_least("languages", len({row.lang for row in corpus.rows}), LANGUAGES)
    for name, rows in (("attack", attacks), ("benign", benign)):
        share = sum(row.lang != "en" for row in rows) / max(1, len(rows))
        yield Finding(f"{name} rows not English", f"{share:.1%}", f">= {NOT_ENGLISH:.0%}", share >= NOT_ENGLISH)


def copies(corpus: Corpus, _folder: Path) -> Iterator[Finding]:
    """No row is a copy of another but the two sides of a contrast pair."""
    found = [f"{one} {other} {similarity:.2f}" for one, other, similarity in near_copies(corpus.rows)]
    bound = f"0 from Jaccard {WITHIN} in a file, {ACROSS} across"
    yield Finding("near-duplicates", str(len(found)), bound, not found, tuple(found[:_SHOWN]))


def openings(corpus: Corpus, _folder: Path) -> Iterator[Finding]:
    """Rows do not begin alike."""
    starts = Counter(_opening(row.text) for row in corpus.rows)
    opening, count = max(starts.items(), key=lambda item: item[1])
    share = count / len(corpus.rows)
    yield Finding("rows with the commonest four first words", f"{share:.2%}", "< 1%", share < OPENING_SHARE, (opening,))


def lengths(corpus: Corpus, _folder: Path) -> Iterator[Finding]:
    """Both sides have the same distribution of lengths."""
    attacks, benign = (Counter(length_bucket(row.text) for row in side) for side in _sides(corpus.rows))
    gaps = {
        name: abs(attacks[name] / max(1, attacks.total()) - benign[name] / max(1, benign.total()))
        for _, name in BUCKETS
    }
    worst = max(gaps, key=lambda name: gaps[name])
    passed = gaps[worst] <= LENGTH_GAP
    yield Finding("largest gap of a length bucket", f"{gaps[worst]:.1%}", f"<= {LENGTH_GAP:.0%}", passed, (worst,))


def guessing(corpus: Corpus, _folder: Path) -> Iterator[Finding]:
    """The label is not given away by shape, origin or single words."""
    shape = guess_from_shape(corpus.rows)
    yield Finding("AUROC from length, language, role, file", f"{shape:.3f}", f"< {SHAPE_AUROC}", shape < SHAPE_AUROC)
    words = guess_from_words(corpus.rows)
    telling = (f"towards attack: {' '.join(words.attack)}", f"towards benign: {' '.join(words.benign)}")
    yield Finding(
        "AUROC from single words", f"{words.auroc:.3f}", f"< {WORDS_AUROC}", words.auroc < WORDS_AUROC, telling
    )


def safety(corpus: Corpus, _folder: Path) -> Iterator[Finding]:
    """No row carries what could be somebody's."""
    found = [f"{row.id}: {what}" for row in corpus.rows for what in unsafe(row.text)]
    yield Finding("addresses, numbers, keys not reserved", str(len(found)), "0", not found, tuple(found[:_SHOWN]))


def frozen(corpus: Corpus, folder: Path) -> Iterator[Finding]:
    """The test part has its share of rows, every subfamily, and the bytes it was frozen with."""
    share, (low, high) = len(corpus.test) / len(corpus.rows), TEST_SHARE
    yield Finding("rows in the test part", f"{share:.1%}", f"{low:.0%} to {high:.0%}", low <= share <= high)
    missing = {entry.id for entry in load_taxonomy()} - {row.subfamily for row in corpus.test}
    yield Finding("subfamilies not in the test part", str(len(missing)), "0", not missing, tuple(sorted(missing)))
    changed = _changed(folder / TEST)
    yield Finding("test files changed since they were frozen", str(len(changed)), "0", not changed, tuple(changed))


def annotators(corpus: Corpus, folder: Path) -> Iterator[Finding]:
    """A second annotator has judged the test part, and every disagreement is resolved in writing."""
    judgements = load_judgements(folder / TEST / JUDGEMENTS)
    if not judgements:
        yield Finding("test rows judged twice", "0", "all", passed=False)
        return
    found = agreement(corpus.test, judgements)
    figure = f"{found.kappa:.3f} of {found.rows:,} rows"
    yield Finding("Cohen's kappa of the test part", figure, f">= {KAPPA}", found.kappa >= KAPPA)
    bound = "0"
    yield Finding(
        "test rows not judged or not resolved", str(len(found.faults)), bound, not found.faults, found.faults[:_SHOWN]
    )


GATES: tuple[Gate, ...] = (schema, counts, copies, openings, lengths, guessing, safety, frozen, annotators)


def pairs(rows: tuple[CorpusRow, ...]) -> Counter[str]:
    """The contrast pairs that have both sides, each with the number of its rows."""
    sides: dict[str, set[int]] = {}
    for row in rows:
        if row.pair:
            sides.setdefault(row.pair, set()).add(row.label)
    return Counter(row.pair for row in rows if row.pair and len(sides[row.pair]) > 1)


def write_sums(folder: Path) -> Path:
    """Freezes the test part: writes the checksums of its files, returns their file."""
    path = folder / TEST / SUMS
    path.write_text("".join(f"{digest}  {name}\n" for name, digest in _digests(path.parent).items()), encoding="utf-8")
    return path


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.jsonl"))}


def _changed(folder: Path) -> list[str]:
    """Names of files that are not what the checksums say, or that only one side knows."""
    sums = folder / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    known = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    now = _digests(folder)
    return sorted(name for name in known.keys() | now.keys() if known.get(name) != now.get(name))


def _sides(rows: tuple[CorpusRow, ...]) -> tuple[list[CorpusRow], list[CorpusRow]]:
    return [row for row in rows if row.label], [row for row in rows if not row.label]


def _at_least(name: str, figure: int, bound: int) -> Finding:
    return Finding(name, f"{figure:,}", f">= {bound:,}", figure >= bound)


def _opening(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower())[:OPENING_WORDS])
