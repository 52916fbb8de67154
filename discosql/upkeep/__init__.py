"""Upkeep: looking after a database as a whole: checking, repairing, dumping and restoring it."""
