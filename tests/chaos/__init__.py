"""Kills whatever can be killed while digests go out, and counts: ``python -m tests.chaos --help``."""
