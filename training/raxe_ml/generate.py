"""Rows that generators make: documents, trigger words, commands, personal data, encodings, languages, paraphrases."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from raxe_ml.config import Composed
from raxe_ml.corpus.encoders import ENCODERS
from raxe_ml.corpus.learning import Graft
from raxe_ml.grammar import load_grammar, load_languages, noisy
from raxe_ml.paraphrase import Paraphraser
from raxe_ml.rows import BENIGN, Row, subfamily_of

_GRAMMAR = load_grammar()
_LANGUAGES = load_languages()
_PAYLOAD_SHARDS = ("rag_parts_bipia", "rag_parts_asb", "rag_parts_skill", "rag_parts_tasks_multilingual")
_LONGEST_PAYLOAD = 500  # characters; a longer one would not share a window with its carrier
_GRAFTED = 0.5  # share of composed documents whose order or note comes from a contrast pair of the corpus
_CARRIER_WORDS = (10, 70)  # words of a document that a carrier is cut to, so that order and carrier share one window
# Encodings that serving reads, and the subfamily of an attack in each.
_ENCODINGS = {
    "b64": "base_encoding", "b32": "base_encoding", "hex": "base_encoding", "bin": "base_encoding",
    "url": "escape_encoding", "html": "escape_encoding", "uni": "escape_encoding", "esc": "escape_encoding",
    "rot13": "cipher", "morse": "cipher", "rev": "cipher", "tag": "invisible_text", "bidi": "invisible_text",
    "zw": "invisible_text", "homo": "homoglyph", "full": "homoglyph",
    "space": "token_splitting", "dot": "token_splitting",
}  # fmt: skip
_SAID_CHARACTERS = (20, 600)  # of a text that is said another way; a longer one does not fit into one window
_TRIES = 8  # texts that may hold no phrase to say another way, for each row that is wanted
_PAYLOAD_CHARACTERS = (12, 240)  # of a text that is encoded; some encodings make it nine times as long


def _plain(carrier: str, note: str, draw: random.Random) -> str:
    sentences = carrier.replace("\n", " \n ").split(". ")
    at = draw.choice([0, len(sentences), draw.randint(0, len(sentences))])
    return ". ".join([*sentences[:at], note.rstrip("."), *sentences[at:]])


def _paragraph(carrier: str, note: str, draw: random.Random) -> str:
    return draw.choice([f"{carrier}\n\n{note}", f"{note}\n\n{carrier}", f"{carrier}\n---\n{note}"])


def _comment(carrier: str, note: str, draw: random.Random) -> str:
    return draw.choice(
        [
            f"<p>{carrier}</p><!-- {note} -->",
            f"{carrier}\n<!-- {note} -->",
            f'<div style="display:none">{note}</div>\n<p>{carrier}</p>',
        ]
    )


def _record(carrier: str, note: str, draw: random.Random) -> str:
    key = draw.choice(["note", "description", "message", "comment", "next", "summary", "details"])
    record = {"status": "ok", "content": carrier[:300], key: note}
    return json.dumps(record, indent=draw.choice([None, 2]), ensure_ascii=False)


def _mail(carrier: str, note: str, draw: random.Random) -> str:
    name = draw.choice(["Lena", "Marcus", "Aiko", "Tariq", "Sofia", "Dev"])
    return f"From: {name.lower()}@corp.example\nSubject: {carrier[:40]}\n\n{carrier}\n{note}\n\nBest,\n{name}"


_FORMS: list[Callable[[str, str, random.Random], str]] = [_plain, _plain, _paragraph, _comment, _record, _mail]


def _cut(text: str, draw: random.Random) -> str:
    words = text.split(" ")
    size = draw.randint(*_CARRIER_WORDS)
    start = draw.randint(0, max(0, len(words) - size))
    return " ".join(words[start : start + size])


def _order(payloads: list[str], wrappers: list[str], triggers: list[str], draw: random.Random) -> str:
    """An order to the model that reads the document: by grammar, or a fragment wrapped or after a trigger sentence."""
    kind = draw.random()
    if kind < 0.6 or not payloads:
        return _GRAMMAR.draw("orders", draw)
    payload = draw.choice(payloads)
    if kind < 0.75 and wrappers:
        return draw.choice(wrappers).replace("<INSTRUCTION>", payload)
    if kind < 0.95 and triggers:
        return f"{draw.choice(triggers)} {payload}"
    return payload


def compose_documents(rows: list[Row], grafts: Sequence[Graft], count: int, draw: random.Random) -> list[Row]:
    """``count`` documents: half with an order to the model, half with an ordinary note in the same forms.

    Of a contrast pair of the corpus, order and note are drawn alike, so that neither its words nor its form tell.
    """
    carriers = [row.text for row in rows if row.role == "document" and not row.is_attack]
    parts = {
        shard: [row.text for row in rows if row.shard == shard] for shard in {r.shard for r in rows if r.role == "part"}
    }
    triggers = parts.get("rag_parts_triggers", [])
    wrappers = [text for texts in parts.values() for text in texts if "<INSTRUCTION>" in text]
    payloads = [text for shard in _PAYLOAD_SHARDS for text in parts.get(shard, []) if len(text) < _LONGEST_PAYLOAD]
    made = []
    for i in range(count if carriers else 0):
        carrier, form = _cut(draw.choice(carriers), draw), draw.choice(_FORMS)
        graft = draw.choice(grafts) if grafts and draw.random() < _GRAFTED else None
        if i % 2:
            note = graft.note if graft else _GRAMMAR.draw("notes", draw)
            made.append(Row(form(carrier, note, draw), BENIGN, "", "document", "made_documents"))
        elif graft:
            text = form(carrier, graft.order, draw)
            made.append(Row(text, graft.family, graft.subfamily, "document", "made_documents"))
        else:
            text = form(carrier, _order(payloads, wrappers, triggers, draw), draw)
            name = subfamily_of(text, "RAG", "") or (
                "tool_output_instruction" if form is _record else "document_instruction"
            )
            made.append(Row(text, "RAG", name, "document", "made_documents"))
    return made


def _short(rows: Sequence[Row], characters: tuple[int, int]) -> tuple[list[Row], list[Row]]:
    """Attacks and benign rows of users, in ASCII, of so many characters."""
    least, most = characters
    short = [row for row in rows if row.role == "user" and least <= len(row.text) <= most and row.text.isascii()]
    return [row for row in short if row.is_attack], [row for row in short if not row.is_attack]


def encoded_texts(rows: Sequence[Row], count: int, draw: random.Random) -> list[Row]:
    """``count`` texts in an encoding: half hide an attack of the rows, half a benign text in the same frames.

    So neither the frame nor the encoding tells them apart, only what is read out of it.
    """
    sides, made = _short(rows, _PAYLOAD_CHARACTERS), []
    for i in range(count if all(sides) else 0):
        hidden, encoding = draw.choice(sides[i % 2]), draw.choice(list(_ENCODINGS))
        frame = _GRAMMAR.draw("encoded_frames", draw)
        text = frame.replace("<PAYLOAD>", ENCODERS[encoding](hidden.text))
        label = ("ENC", _ENCODINGS[encoding]) if hidden.is_attack else (BENIGN, "")
        made.append(Row(text, *label, "user", "made_enc"))
    return made


def translated_forms(count: int, draw: random.Random) -> list[Row]:
    """``count`` short texts in languages other than English: half the forms of an attack, half with the same words."""
    made = []
    for i in range(count):
        is_attack = i % 2 == 0
        grammar = _LANGUAGES[draw.choice(list(_LANGUAGES))]
        text = noisy(grammar.draw("attack" if is_attack else "benign", draw), draw)
        made.append(Row(text, "PI" if is_attack else BENIGN, "", "user", "made_languages"))
    return made


def paraphrased(rows: Sequence[Row], count: int, draw: random.Random) -> list[Row]:
    """At most ``count`` of the users' short English rows said another way; half are attacks, half are not."""
    sides = _short(rows, _SAID_CHARACTERS)
    paraphraser, made = Paraphraser(), []
    for side in sides if all(sides) else ():
        wanted = count // 2
        for row in (draw.choice(side) for _ in range(wanted * _TRIES)):
            said = paraphraser.say(row.text, draw) if wanted else None
            if said is not None:
                made.append(replace(row, text=said, span=None, shard="made_paraphrases"))
                wanted -= 1
    return made


def _pairs(kind: str, family: str, count: int, draw: random.Random) -> list[Row]:
    made = []
    for i in range(count):
        is_attack = i % 2 == 0
        text = noisy(_GRAMMAR.draw(f"{kind}_{'attack' if is_attack else 'benign'}", draw), draw)
        label = family if is_attack else BENIGN
        made.append(
            Row(text, label, subfamily_of(text, family, "") if is_attack else "", "user", f"made_{family.lower()}")
        )
    return made


def generate(
    rows: list[Row], counts: Composed, seed: int, grafts: Sequence[Graft] = (), written: Sequence[Row] = ()
) -> list[Row]:
    """All generated rows for the training rows of shards, and those of the corpus, ``written`` with its ``grafts``.

    The same seed gives the same rows.
    """
    draw = random.Random(seed)
    return [
        *compose_documents(rows, grafts, counts.rag, draw),
        *_pairs("trigger", "PI", counts.trigger, draw),
        *_pairs("command", "CMD", counts.command, draw),
        *_pairs("personal", "PII", counts.personal, draw),
        *encoded_texts(rows, counts.encoded, draw),
        *translated_forms(counts.languages, draw),
        *paraphrased(rows, counts.paraphrased - counts.paraphrased // 2, draw),
        *paraphrased(written, counts.paraphrased // 2, draw),
    ]
