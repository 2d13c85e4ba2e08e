"""A memory with a bound."""

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Kept(dict[Hashable, Made], Generic[Made]):
    """Up to so many things. When one more comes, the oldest goes.

    Where functools.lru_cache is put on a method, it keeps the object until the collector of circles comes by; this does
    not.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self._keeping = threading.Lock()

    def keep(self, key: Hashable, made: Made) -> Made:
        """Put it there. Also while another thread does: who only looks needs no lock."""
        with self._keeping:
            if len(self) >= self._limit:
                del self[next(iter(self))]
            self[key] = made
        return made
