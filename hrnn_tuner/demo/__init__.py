"""The demonstration: Amazon Personalize's own HPO example on MovieLens 100K, from data to recommendations."""
