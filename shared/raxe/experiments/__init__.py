"""Experiments: who gets which variant, counting off the hot path, and what the counts say."""
