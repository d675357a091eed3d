"""Tokens, ONNX sessions and scores. Only ``session.py`` imports onnxruntime."""

from raxe.classifier.classifier import Classifier, KnownAttacks, Labels, Scores
from raxe.classifier.plain import PlainClassifier
from raxe.classifier.session import Session, sessions_built
from raxe.classifier.tokens import TextTokenizer, Tokens

__all__ = [
    "Classifier",
    "KnownAttacks",
    "Labels",
    "PlainClassifier",
    "Scores",
    "Session",
    "TextTokenizer",
    "Tokens",
    "sessions_built",
]
