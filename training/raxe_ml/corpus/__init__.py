"""The written corpus ``training/corpus``: its rows, its quality gates, its counts, the agreement of its annotators."""
