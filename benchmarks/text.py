"""How well and how fast ``digest.text.readable`` reads real titles and abstracts.

The detector of leftovers knows nothing of the converter: it looks for what a reader would stumble over.
"""

import argparse
import gzip
import json
import random
import re
import sys
import time
from collections import Counter
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from digest.text import readable

say = partial(Console().print, markup=False, highlight=False, soft_wrap=True)

COMMAND = re.compile(r"\\[a-zA-Z]+")
PAIR = re.compile(r"\$([^$]+)\$")
MONEY = re.compile(r" ?\d[^\\^_={}×]*")  # "$5 to $10": an amount first, and no sign of mathematics
SCRIPT = re.compile(r"[_^]\{")
BRACES = re.compile(r"\d\{,\}\d|\{[A-Z][a-z]*[A-Z-]\w*\}")  # 1{,}000 and {LegalDrill}; {0, 1} is a set
MARKUP = re.compile(
    r"</?(?:jats:[\w-]+|mml:[\w-]+|p|br|i|b|u|em|strong|sub|sup|tt|span|div|a|title|italic|bold|sc|sec|ul|ol|li)"
    r"(?:\s+[\w:-]+=[^<>]*)?\s*/?>",
    re.IGNORECASE,
)
SHOWN = 240  # characters of a text before and after


class Pair(NamedTuple):
    """A title or abstract before and after, and the seconds it took."""

    before: str
    after: str
    seconds: float


def main() -> None:
    """Read the file, convert all, print what is left over and how long it took."""
    options = arguments()
    try:
        records = load(options.file, options.limit)
    except (OSError, EOFError, ValueError) as error:
        sys.exit(_complaint(f"cannot read {options.file}: {error}"))
    if not records:
        sys.exit(_complaint(f"{options.file} holds no record with a title"))
    readable(r"$\alpha$")  # what is paid once is not counted
    converted = [
        (convert(title), convert(abstract))
        for title, abstract in track(
            records, description="converting", console=Console(stderr=True), disable=not sys.stderr.isatty()
        )
    ]
    report_leftovers(converted)
    report_names(converted)
    report_speed(converted)
    report_pairs([pair for both in converted for pair in both], options.seed)


def _complaint(text: str) -> int:
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
    return 2


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text", description=__doc__)
    parser.add_argument(
        "file", type=Path, help='JSON lines, plain or .gz: {"title": ..., "summary" or "abstract": ...}'
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the ten pairs shown (random)")
    parser.add_argument("--limit", type=int, help="read only the first N records")
    return parser.parse_args()


def load(path: Path, limit: int | None) -> list[tuple[str, str]]:
    """(title, abstract) of every record that has a title."""
    records: list[tuple[str, str]] = []
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if limit is not None and len(records) >= limit:
                break
            record = json.loads(line)
            if record.get("title"):
                records.append((record["title"], record.get("summary") or record.get("abstract") or ""))
    return records


def convert(text: str) -> Pair:
    """Convert one text, timed."""
    start = time.perf_counter()
    after = readable(text)
    return Pair(text, after, time.perf_counter() - start)


def leftovers(text: str) -> list[str]:
    """What of TeX and markup still stands in ``text``. Dollars around an amount and words are money."""
    found = (
        COMMAND.findall(text)
        + SCRIPT.findall(text)
        + BRACES.findall(text)
        + [tag.lower() for tag in MARKUP.findall(text)]
    )
    return found + ["$...$" for inner in PAIR.findall(text) if not MONEY.fullmatch(inner)]


def report_leftovers(converted: list[tuple[Pair, Pair]]) -> None:
    """Shares of records with anything left over, and what it is."""
    titles, abstracts, either = 0, 0, 0
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for title, abstract in converted:
        left = leftovers(title.after), leftovers(abstract.after)
        titles, abstracts, either = titles + bool(left[0]), abstracts + bool(left[1]), either + bool(left[0] or left[1])
        for text, found in zip((title, abstract), left, strict=True):
            counts.update(found)
            for sign in found:
                examples.setdefault(sign, text.after)
    say(f"records                    {len(converted):>9,}")
    for name, count in (("titles", titles), ("abstracts", abstracts), ("either", either)):
        say(f"left over in {name:<13} {count:>9,}  {count / len(converted):.3%}")
    for sign, count in counts.most_common(15):
        say(f"  {count:>5}  {sign}   in: {around(examples[sign], sign[0])}")


def around(text: str, sign: str) -> str:
    """Some of ``text`` beside ``sign``."""
    at = text.find(sign)
    return text[max(0, at - 40) : at + 60]


def report_names(converted: list[tuple[Pair, Pair]]) -> None:
    """Commands whose bare name is now a word: right for log and max and for names of methods, else a weakness."""
    counts: Counter[str] = Counter()
    for both in converted:
        for before, after, _ in both:
            if "\\" in before:
                new = set(re.findall(r"[A-Za-z]+", after)) - set(re.findall(r"(?<![\\A-Za-z])[A-Za-z]+", before))
                counts.update(name for name in set(COMMAND.findall(before)) if name[1:] in new)
    names = ", ".join(f"{name[1:]} {count}" for name, count in counts.most_common(40))
    say(f"commands shown by their name: {sum(counts.values())} texts: {names}")


def report_speed(converted: list[tuple[Pair, Pair]]) -> None:
    """Microseconds a pair of title and abstract."""
    costs = sorted((title.seconds + abstract.seconds) * 1e6 for title, abstract in converted)
    mean = sum(costs) / len(costs)
    late = costs[min(len(costs) - 1, len(costs) * 99 // 100)]
    say(f"a pair: mean {mean:.1f} µs, 99 % within {late:.0f} µs, slowest {costs[-1]:.0f} µs; {1e6 / mean:,.0f} pairs/s")


def report_pairs(pairs: list[Pair], seed: int) -> None:
    """Ten texts that changed by more than their white space."""
    changed = [pair for pair in pairs if " ".join(pair.before.split()) != pair.after]
    say(f"changed by more than white space: {len(changed):,} of {len(pairs):,} texts; ten of them, seed {seed}:")
    for pair in random.Random(seed).sample(changed, min(10, len(changed))):
        before, after = " ".join(pair.before.split()), pair.after
        # Only what is beside the first change: abstracts are long.
        same = sum(1 for _ in takewhile(lambda signs: signs[0] == signs[1], zip(before, after, strict=False)))
        start = max(same - 60, 0)
        lead = "... " if start else ""
        say(f"\n- {lead}{before[start : start + SHOWN]}\n+ {lead}{after[start : start + SHOWN]}")


if __name__ == "__main__":
    main()
