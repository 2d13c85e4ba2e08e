"""How large an attack, a walk or a table is: small in CI, whole at night (``TEST_SIZE=night``)."""

import os


def size(ci: int, night: int) -> int:
    """The first, unless TEST_SIZE says "night"."""
    return {"ci": ci, "night": night}[os.environ.get("TEST_SIZE", "ci")]
