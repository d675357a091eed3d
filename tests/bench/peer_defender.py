"""Runs in the environment of stackone-defender: answers each JSON line ``{text, role}`` with ``{flagged, score, ms}``.

    python tests/bench/peer_defender.py < rows.jsonl

Flagged is its own verdict with its defaults and ``block_high_risk``; the score is that of its model.
"""

import json
import sys
import time

from stackone_defender import create_prompt_defense

defense = create_prompt_defense(block_high_risk=True, require_tier2=True)
defense.warmup_tier2()
for line in sys.stdin:
    row = json.loads(line)
    started = time.perf_counter()
    found = defense.defend_tool_result(row["text"], "scan")
    elapsed_ms = (time.perf_counter() - started) * 1000
    # No score is given for a text that tier 2 skips (too short, say); tier 1 alone decides then.
    score = found.tier2_score if found.tier2_score is not None else float(not found.allowed)
    print(json.dumps({"flagged": not found.allowed, "score": score, "ms": elapsed_ms}), flush=True)
