"""One row in a process of its own: ``python -m benchmarks.delivery.child MODULE:FUNCTION OPTIONS``."""

import json
import sys
from importlib import import_module

import django

WITHOUT_DJANGO = "plain"


def main(row: str, options: str) -> None:
    """Set Django up unless the row is one without it, and run the function with the options."""
    module, function = row.split(":")
    if module != WITHOUT_DJANGO:
        django.setup()
    getattr(import_module(f"benchmarks.delivery.{module}"), function)(**json.loads(options))


if __name__ == "__main__":
    main(*sys.argv[1:])
