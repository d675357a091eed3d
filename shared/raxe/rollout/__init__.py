"""The rollout document: which model answers whom, from which score on, and what when none answers."""

from raxe.rollout.document import MAX_BYTES, dump_rollout, parse_rollout
from raxe.rollout.edits import BY_ALARM, previous, rollback_note, rolled_back_to
from raxe.rollout.value import Rollout, Split, buckets_of
from raxe.values.buckets import BUCKETS, bucket_of

__all__ = [
    "BUCKETS",
    "BY_ALARM",
    "MAX_BYTES",
    "Rollout",
    "Split",
    "bucket_of",
    "buckets_of",
    "dump_rollout",
    "parse_rollout",
    "previous",
    "rollback_note",
    "rolled_back_to",
]
