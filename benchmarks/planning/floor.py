"""The floor: reading the same readers and writing the same rows by the plain driver, and nothing else.

A transaction a chunk: the readers by keyset, their interests, and the digests by COPY (executemany on SQLite).
"""

import json
import pickle
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.delivery.measured import Progress, cpu_of
from benchmarks.planning.databases import connect, is_sqlite

READERS = """
SELECT id, next_due_at, last_due_at, asked_at, paused_until, hour, zone, weekdays, paper_limit, only_my_topics
FROM subscriptions_subscriber
WHERE state = 'active' AND next_due_at <= {mark} AND (next_due_at, id) > ({mark}, {mark})
ORDER BY next_due_at, id LIMIT {mark}
"""
INTERESTS = """
SELECT subscriber_id, kind, topic_id, text FROM subscriptions_interest WHERE subscriber_id {among} ORDER BY id
"""
MOVES = "UPDATE subscriptions_subscriber SET last_due_at = {mark}, next_due_at = {mark} WHERE id {among}"
# No module of the product is needed here, nor Django: NOW is that of ``papers``.
EARLIEST, NOW, TOMORROW = "1970-01-01 00:00:00", "2026-06-03 12:00:00", "2026-06-04 12:00:00"


def floor(*, url: str, rows: str, columns: list[str], chunk: int, moves: bool) -> dict[str, Any]:
    """Seconds at the database; reading the kept ``rows`` from their file does not count.

    ``moves``: the readers' due times are written too, all the same ones, as planning must write theirs.
    """
    progress, clock, written = Progress(), _Clock(), 0
    kept, whose = _stored(rows), columns.index("subscriber_id")
    ahead = next(kept, None)
    with closing(connect(url)) as connection:
        plain = _Plain(connection, columns, is_file=is_sqlite(url))
        last: tuple[Any, int] = (EARLIEST, 0)
        while True:
            with clock:
                found = plain.read(last, chunk)
            if not found:
                break
            last, readers, own = (found[-1][1], found[-1][0]), {row[0] for row in found}, []
            while ahead and ahead[whose] in readers:
                own.append(ahead)
                ahead = next(kept, None)
            with clock:
                plain.write(own)
                if moves:
                    plain.move([row[0] for row in found])
                connection.commit()
            written += len(own)
            progress(len(found))
        cpu = clock.cpu + (0 if plain.is_file else cpu_of(connection.info.backend_pid))
    assert ahead is None, "the floor reads its readers in another order than planning"
    return {"seconds": clock.seconds, "cpu": cpu, "rows": written, "readers": progress.done}


def _stored(file: str) -> Iterator[Sequence[Any]]:
    """The rows that were kept, a few thousand in memory at once."""
    with Path(file).open("rb") as kept:
        while True:
            try:
                yield from pickle.load(kept)
            except EOFError:
                return


class _Clock:
    """Adds up what its blocks take: seconds, and CPU seconds of this process."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def __enter__(self) -> None:
        self.seconds -= time.perf_counter()
        self.cpu -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter()
        self.cpu += time.process_time()


class _Plain:
    """The same statements in the words of either driver."""

    def __init__(self, connection: Any, columns: list[str], *, is_file: bool) -> None:
        self.connection, self.columns, self.is_file = connection, columns, is_file
        self.mark, self.among = ("?", "IN (SELECT value FROM json_each(?))") if is_file else ("%s", "= ANY(%s)")

    def _say(self, statement: str) -> str:
        return statement.format(mark=self.mark, among=self.among)

    def _list(self, ids: list[int]) -> Any:
        return json.dumps(ids) if self.is_file else ids

    def _instant(self, text: str) -> str:
        return text if self.is_file else f"{text}+00"

    def read(self, last: tuple[Any, int], chunk: int) -> list[Any]:
        """The next readers, after reading their interests too."""
        found = self.connection.execute(self._say(READERS), [self._instant(NOW), *self._after(last), chunk]).fetchall()
        self.connection.execute(self._say(INTERESTS), [self._list([row[0] for row in found])]).fetchall()
        return list(found)

    def _after(self, last: tuple[Any, int]) -> tuple[Any, int]:
        return (self._instant(last[0]), last[1]) if last[0] == EARLIEST else last

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Insert digests."""
        names = ", ".join(self.columns)
        if self.is_file:
            marks = ", ".join("?" * len(self.columns))
            self.connection.executemany(f"INSERT INTO digest_digest ({names}) VALUES ({marks})", rows)
            return
        with self.connection.cursor() as cursor, cursor.copy(f"COPY digest_digest ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def move(self, readers: list[int]) -> None:
        """Write due times."""
        times = [self._instant(NOW), self._instant(TOMORROW)]
        self.connection.execute(self._say(MOVES), [*times, self._list(readers)])
