"""``python -m raxe_ml``."""

from raxe_ml.cli import main

main()
