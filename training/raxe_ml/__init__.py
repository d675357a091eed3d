"""The training pipeline: data, train, export, bundle, evaluate. Never deployed; `raxe` never imports it."""
