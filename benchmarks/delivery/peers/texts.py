"""The mail that all peers send: the texts of a finished digest, with places for what is the reader's."""

import os
from pathlib import Path

FOLDER = Path(os.environ["PEER_TEMPLATES"])
SUBJECT = (FOLDER / "subject.txt").read_text()


def filled(name: str, number: int) -> str:
    """A text for one reader."""
    text = (FOLDER / name).read_text()
    return text.replace("{{ email }}", address(number)).replace("{{ token }}", f"{number:07}:{43 * 'x'}")


def address(number: int) -> str:
    """A reader's address."""
    return f"reader-{number:07}@example.org"
