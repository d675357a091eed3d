"""HTTP API events (payload version 2.0), read from events/; used by `make scan` and `make serve`."""

import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]


def load_event(name: str) -> Event:
    """Returns the event of ``events/<name>.json``, a new object at each call."""
    event: Event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return event


def scan_event(text: str) -> Event:
    """Returns the event of ``POST /v1/scan`` for one text from a user."""
    event = load_event("scan")
    event["body"] = json.dumps({"text": text, "source": "user"})
    return event
