"""What remembering who was sent what costs: ``python -m benchmarks.storage --help``."""
