"""The recorded tasks as queries of two halves. The split was fixed before any figure was computed."""

import gzip
import json
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from benchmarks.relevance.spellings import plain, short_forms
from digest.relevance import PaperText

HALVES = ("tuning", "held-out")
KEYWORDS = 150  # the commonest
COLD = 5  # one article in so many is known by nobody's library
FILES = (
    "csfcube/docs.jsonl.gz",
    "csfcube/queries.json",
    "csfcube/qrels.tsv",
    "hf_daily_papers.jsonl.gz",
    "citeulike-t/users.dat.gz",
    "citeulike-t/mult.dat.gz",
    "citeulike-t/vocabulary.dat.gz",
)


@dataclass(frozen=True, slots=True)
class LikeThis:
    """csfcube: a query paper's index, its pool (indices) and the grade (0 to 3) of each. ``unit`` is the paper."""

    unit: str
    half: str
    paper: int
    pool: npt.NDArray[np.int64]
    grades: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword as a topic, and whether each paper bears it: as this very string, or in any spelling."""

    unit: str
    half: str
    bears: npt.NDArray[np.bool_]
    bears_somehow: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Library:
    """citeulike-t: the articles a reader has, and the cold ones to be found (their places among the cold ones)."""

    unit: str
    half: str
    warm: list[int]
    cold: list[int]


def number(name: object) -> int:
    """What the split goes by."""
    return zlib.crc32(str(name).encode())


def csfcube(data: Path) -> tuple[list[PaperText], list[LikeThis]]:
    """The papers, and the queries: query papers in the order of their numbers belong to the halves in turn."""
    rows = _lines(data / "csfcube/docs.jsonl.gz")
    index = {str(row["id"]): at for at, row in enumerate(rows)}
    papers = [PaperText(at, row["title"], row["abstract"] or "") for at, row in enumerate(rows)]
    judged: dict[str, dict[int, int]] = {}
    for line in (data / "csfcube/qrels.tsv").read_text("utf-8").splitlines():
        query, paper, grade = line.split("\t")
        judged.setdefault(query, {})[index[paper]] = int(grade)
    queries = json.loads((data / "csfcube/queries.json").read_text("utf-8"))
    order = sorted({query["paper_id"] for query in queries}, key=number)
    found = []
    for query in queries:
        pool = {at: grade for at, grade in judged[query["qid"]].items() if at != index[query["paper_id"]]}
        half = HALVES[order.index(query["paper_id"]) % 2]
        found.append(
            LikeThis(
                query["paper_id"],
                half,
                index[query["paper_id"]],
                np.array(list(pool)),
                np.array(list(pool.values())),
            )
        )
    return papers, found


def keywords(data: Path) -> tuple[list[PaperText], list[Keyword]]:
    """The papers with keywords (which are left out of what is read), and the commonest keywords as topics.

    A keyword belongs to the tuning half if its number is even.
    """
    rows: dict[str, dict[str, Any]] = {}
    for day in _lines(data / "hf_daily_papers.jsonl.gz"):
        rows |= {element["paper"]["id"]: element["paper"] for element in day["response"]}
    rows = {key: row for key, row in rows.items() if row.get("ai_keywords")}
    said = [{word.lower() for word in row["ai_keywords"]} for row in rows.values()]
    counted = Counter(word for words in said for word in words)
    commonest = sorted(counted, key=lambda word: (-counted[word], word))[:KEYWORDS]
    papers = [PaperText(at, row["title"], row["summary"]) for at, row in enumerate(rows.values())]
    short = short_forms(word for words in said for word in words)
    spelled = [{short.get(plain(word), plain(word)) for word in words} for words in said]
    return papers, [
        Keyword(
            word,
            HALVES[number(word) % 2],
            np.array([word in words for words in said]),
            np.array([short.get(plain(word), plain(word)) in words for words in spelled]),
        )
        for word in commonest
    ]


def citeulike(data: Path) -> tuple[csr_matrix, csr_matrix, list[Library]]:
    """Counts of words of all articles, the rows of the cold ones, and the readers who have both kinds.

    An article is cold if its number can be divided by five; a reader whose number is even belongs to the tuning half.
    A library has no order in time: its articles are read in the order of their numbers, as if the first were newest.
    """
    counts = _bags(data)
    cold = [at for at in range(counts.shape[0]) if number(at) % COLD == 0]
    place = {at: where for where, at in enumerate(cold)}
    found = []
    with gzip.open(data / "citeulike-t/users.dat.gz", "rt") as file:
        for reader, line in enumerate(file):
            articles = sorted(map(int, line.split()[1:]), key=number)
            wanted = [place[at] for at in articles if at in place]
            warm = [at for at in articles if at not in place]
            if wanted and warm:
                found.append(Library(str(reader), HALVES[number(reader) % 2], warm, wanted))
    return counts, counts[cold], found


def _bags(data: Path) -> csr_matrix:
    columns: list[int] = []
    values: list[int] = []
    ends = [0]
    with gzip.open(data / "citeulike-t/mult.dat.gz", "rt") as file:
        for line in file:
            for pair in line.split()[1:]:
                column, times = pair.split(":")
                columns.append(int(column))
                values.append(int(times))
            ends.append(len(columns))
    with gzip.open(data / "citeulike-t/vocabulary.dat.gz", "rt", encoding="utf-8") as file:
        words = sum(1 for _ in file)
    shape = (len(ends) - 1, words)
    return csr_matrix((np.array(values, np.float32), np.array(columns), np.array(ends)), shape=shape)


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
