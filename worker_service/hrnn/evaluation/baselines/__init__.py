"""Simple recommenders that a trained model must beat to mean anything; each is a `Scorer`."""
