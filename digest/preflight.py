"""The gate before an approval: an edition's mail is rendered and linted, each paper alone and the longest together.

A fault that a paper brings costs that paper its place; a fault that an ordinary paper has too is the frame's. Costs
50 to 100 ms a paper, nearly all of it the linter's, so it runs in no transaction.
"""

import logging
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from digest.lint import Finding, Severity, lint
from digest.lint import in_words as lint_words
from digest.models import Digest, Edition, EditionPaper, Paper
from digest.nobody import nobody
from digest.rendering import Shelf, digest_message
from subscriptions.lifecycle import LIMITS
from subscriptions.tokens import NOBODY

log = logging.getLogger(__name__)
BY = "mail linter"
CRASH = "L000"  # not the linter's: the mail could not be rendered, or not be read
# An ordinary paper: what is wrong with a mail of this one is wrong with every mail.
REFERENCE = Paper(
    pk=0,
    key="arxiv:2603.00001",
    arxiv_id="2603.00001",
    title="A study of how papers are read",
    authors=["First Author", "Second Author"],
    abstract="We ask how papers are read, and by whom. Most are read by few, and few by most.",
    categories=["cs.DL"],
    upvotes=12,
)
# Errors of ours where the frame has them. Where a paper brings them they are what somebody wrote, or a link as it is:
# "Re:Form" and "4D" are titles, and a study of prompts says {{name}}. People are told, and the paper goes.
BY_PAPERS = frozenset({"L504", "L505", "L601", "L607", "L610", "L701", "L702", "L703", "L803", "L805"})
Entry = tuple[int, str]  # a paper and its editor's blurb: what an edition shows of it


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A paper whose mail has faults of its own."""

    entry: EditionPaper
    faults: Sequence[Finding]

    @property
    def reason(self) -> str:
        """As the edition's screen and its row say it."""
        return f"{BY}: {in_words(self.faults)}"[:200]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the linter says of an edition's mail."""

    faults: Sequence[Finding] = ()  # of the frame: they stop the edition
    left_out: Sequence[LeftOut] = ()
    warnings: Sequence[tuple[str, Finding]] = ()  # with the paper's title, "" for the frame
    passed: frozenset[Entry] = frozenset()

    @property
    def reason(self) -> str:
        """Why the edition is stopped; "" where it is not."""
        if self.faults:
            return f"{BY}: {in_words(self.faults)}"
        nothing_left = self.left_out and not self.passed
        return f"every paper would be left out. {self.left_out[0].reason}" if nothing_left else ""


def in_words(findings: Iterable[Finding]) -> str:
    """Several findings on one line, each rule once."""
    first = {finding.rule: finding for finding in reversed(list(findings))}
    return "; ".join(f"{rule} {finding.said}" for rule, finding in sorted(first.items()))


def check(edition: Edition, now: datetime) -> Verdict:
    """Render and lint the mail of what the edition shows now. Reads rows and writes none."""
    entries = list(edition.entries.shown().select_related("paper"))
    return _Check.of(edition, entries, now).verdict() if entries else Verdict()


def own_faults(edition: Edition, entries: Iterable[EditionPaper], now: datetime) -> list[LeftOut]:
    """The papers of these with errors of their own, for an edition that readers see already."""
    check = _Check.of(edition, list(entries), now)
    known = {finding.rule for finding in check.findings([REFERENCE.pk])}
    found = [LeftOut(e, check.errors([e.paper_id], known)) for e in check.entries]
    return [paper for paper in found if paper.faults]


def linted(raw: bytes) -> list[Finding]:
    """What the linter says of a mail as it would leave this installation, each with the promise that it breaks."""
    return [replace(found, said=lint_words(found)) for found in lint(raw, trial=settings.DEBUG)]


def as_sent(message: EmailMessage) -> bytes:
    """A mail as it goes over the wire: lines end with CRLF (RFC 5321 section 2.3.8)."""
    return message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own takes it


def shown_in(edition: Edition) -> frozenset[Entry]:
    """What the edition shows at this moment, to be compared with what passed."""
    return frozenset(edition.entries.shown().values_list("paper", "blurb"))


@dataclass(slots=True)
class _Check:
    edition: Edition
    entries: Sequence[EditionPaper]
    shelf: Shelf
    now: datetime
    sizes: dict[int, int] = field(default_factory=dict)  # {paper: octets of its mail}

    @classmethod
    def of(cls, edition: Edition, entries: Sequence[EditionPaper], now: datetime) -> "_Check":
        shelf = Shelf.for_digests([_digest(edition, [entry.paper_id for entry in entries], now)])
        published = {"state": Edition.State.APPROVED, "counted_at": edition.counted_at}
        days = [
            Edition(day=edition.day - timedelta(days=1), **published),  # for a mail that covers two days
            Edition(day=edition.day, standing_on=edition.standing_on, **published),
        ]
        papers = {**shelf.papers, REFERENCE.pk: REFERENCE}
        return cls(edition, entries, replace(shelf, papers=papers, editions={e.day: e for e in days}), now)

    def verdict(self) -> Verdict:
        """The frame first: what it has, no paper brought."""
        weekly = {"weekdays": 1 << self.edition.day.weekday()}
        readers: tuple[dict[str, Any], ...] = (weekly, {"text_only": True}, *self.languages())
        frame = [finding for reader in readers for finding in self.findings([REFERENCE.pk], **reader)]
        known = {finding.rule for finding in frame}
        own = {e: [f for f in self.findings([e.paper_id]) if f.rule not in known] for e in self.entries}
        left_out = [LeftOut(e, faults) for e in self.entries if (faults := _errors(own[e]))]
        kept = _without(self.entries, left_out)
        together = [f for f in self.findings(self.longest(kept)) if f.rule not in known] if kept else []
        if _errors(together) and (blamed := self.blamed(kept, known)):
            left_out, kept, together = [*left_out, *blamed], _without(kept, blamed), []
        known |= {finding.rule for e in kept for finding in own[e]}
        return Verdict(
            faults=_errors(dict.fromkeys([*frame, *together])),
            left_out=left_out,
            warnings=[
                *(("", f) for f in _warnings([*frame, *(f for f in together if f.rule not in known)])),
                *((e.paper.title, f) for e in kept for f in _warnings(own[e])),
            ],
            passed=frozenset((e.paper_id, e.blurb) for e in kept),
        )

    @staticmethod
    def languages() -> list[dict[str, Any]]:
        """A daily reader in each language that is on offer."""
        return [{"language": code} for code, _ in settings.LANGUAGES]

    def reasons(self) -> list[dict[str, Any]]:
        """One of each kind."""
        topics = [{"topic": topic, "terms": ["reading"]} for topic in [*self.shelf.topics][:1]]
        return [*topics, {"phrase": "how papers are read"}, {"author": REFERENCE.authors[0]}]

    def longest(self, entries: Sequence[EditionPaper]) -> list[int]:
        """The papers of the longest mail that any reader can get of these, in the edition's order."""
        longest = sorted(entries, key=lambda e: -self.sizes.get(e.paper_id, 0))[: max(LIMITS)]
        return [e.paper_id for e in entries if e in longest]

    def blamed(self, entries: Sequence[EditionPaper], known: Set[str]) -> list[LeftOut]:
        """The papers of the longest mail that do not go with one before them, like a second one of the same title.

        Empty where the mail has errors without them too. Costs a mail a paper, where there is an error at all.
        """
        by_paper = {e.paper_id: e for e in entries}
        good: list[int] = []
        blamed = []
        for paper in self.longest(entries):
            if faults := self.errors([*good, paper], known):
                blamed.append(LeftOut(by_paper[paper], faults))
            else:
                good.append(paper)
        rest = self.longest(_without(entries, blamed))
        return [] if self.errors(rest, known) else blamed

    def errors(self, papers: Sequence[int], known: Set[str]) -> list[Finding]:
        """The errors of a mail of these papers that are not the frame's."""
        return [finding for finding in _errors(self.findings(papers)) if finding.rule not in known]

    def findings(self, papers: Sequence[int], **reader: Any) -> list[Finding]:
        """What the linter finds in a mail of these papers; a crash is a finding too."""
        try:
            digest = _digest(self.edition, papers, self.now, weekly="weekdays" in reader)
            if papers == [REFERENCE.pk]:
                digest.picks[0]["why"] = self.reasons()
            raw = as_sent(digest_message(digest, nobody(self.now, **reader), self.shelf, now=self.now))
            if len(papers) == 1:
                self.sizes[papers[0]] = len(raw)
            return [f if papers == [REFERENCE.pk] else _of_a_paper(f) for f in linted(raw)]
        except Exception as error:  # one poisoned paper is left out alone, whatever is wrong with it
            log.exception("a mail of papers %s cannot be rendered and linted", papers)
            said = f"the mail cannot be made: {type(error).__name__}"
            return [Finding(CRASH, Severity.ERROR, said, "Look at the traceback in the log of this process.")]


def _of_a_paper(finding: Finding) -> Finding:
    return replace(finding, severity=Severity.WARNING) if finding.rule in BY_PAPERS else finding


def _without(entries: Iterable[EditionPaper], left_out: Iterable[LeftOut]) -> list[EditionPaper]:
    gone = {paper.entry for paper in left_out}
    return [entry for entry in entries if entry not in gone]


def _digest(edition: Edition, papers: Iterable[int], now: datetime, *, weekly: bool = False) -> Digest:
    picks = [{"paper": paper, "place": place, "why": []} for place, paper in enumerate(papers, start=1)]
    return Digest(
        pk=NOBODY,
        day=edition.day,
        cadence=Digest.Cadence.WEEKLY if weekly else Digest.Cadence.DAILY,
        due_at=now,
        planned_at=now,
        content_from=edition.day - timedelta(days=2 if weekly else 1),
        content_to=edition.day,
        picks=picks,
    )


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == Severity.ERROR]


def _warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Each rule once: the frame is looked at several times."""
    found = {finding.rule: finding for finding in findings if finding.severity == Severity.WARNING}
    return list(found.values())
