"""One paper as a mail or a page shows it."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi

from digest.models import Digest, Paper
from digest.rendering import sentences
from digest.rendering.shelf import Shelf
from digest.text import shorten, undirected

BLURB_LENGTH, TITLE_LENGTH = 300, 200  # characters of a mail; the site shows more
OF_PAPERS = "en"  # the language of nearly all papers; sources do not say it


@dataclass(frozen=True, slots=True)
class Item:
    """One paper ready to show."""

    number: int
    paper: Paper
    title: str
    authors: str
    blurb: str
    origin: str
    facts: str  # upvotes, comments and stars in words
    path: str  # of the paper's page on this site
    pdf_url: str
    reasons: tuple[str, ...] = ()
    why: str = ""  # the reasons as one sentence

    @property
    def title_html(self) -> SafeString:
        """The title, with its language and direction where they are not the mail's."""
        return _paper_text(self.title)

    @property
    def blurb_html(self) -> SafeString:
        """The sentences under the title, marked the same way."""
        return _paper_text(self.blurb)

    @property
    def title_text(self) -> str:
        """The title for a line of the text part."""
        return sentences.foreign(self.title)

    @property
    def blurb_text(self) -> str:
        """The sentences under the title for the same."""
        return sentences.foreign(self.blurb)

    @property
    def url(self) -> str:
        """The paper's own page where it is published."""
        return self.paper.url

    @property
    def code_url(self) -> str:
        """The code, where there is any."""
        return self.paper.code_link

    @property
    def project_url(self) -> str:
        """The project's page, unless it is the code's."""
        return "" if self.paper.project_link == self.paper.code_link else self.paper.project_link


@dataclass(frozen=True, slots=True)
class FollowUp:
    """News of a paper that the reader was sent before."""

    paper: Paper
    said: str

    @property
    def title(self) -> str:
        """At most 200 characters."""
        return shorten(self.paper.title, TITLE_LENGTH)

    @property
    def title_text(self) -> str:
        """The title for a line of the text part."""
        return sentences.foreign(self.title)

    @property
    def title_html(self) -> SafeString:
        """The title, with its language and direction where they are not the mail's."""
        return _paper_text(self.title)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many characters of a paper's title and of the sentences under it are shown, and whether its PDF is linked."""

    title: int = TITLE_LENGTH
    blurb: int = BLURB_LENGTH
    pdf: bool = True


WHOLE = Lengths()


def item(
    paper: Paper,
    number: int,
    *,
    blurb: str = "",
    reasons: Iterable[str] = (),
    why: str = "",
    lengths: Lengths = WHOLE,
) -> Item:
    """A paper ready to show; an editor's blurb wins over a summary, a summary over the abstract."""
    if blurb:
        origin, text = Paper.Origin.EDITOR, blurb
    elif paper.blurb:
        origin, text = Paper.Origin(paper.blurb_origin), paper.blurb
    else:
        origin, text = Paper.Origin.ABSTRACT, paper.abstract
    return Item(
        number,
        paper,
        shorten(paper.title, lengths.title),
        sentences.authors_line(paper.authors),
        shorten(text, lengths.blurb) if lengths.blurb else "",
        sentences.origin_label(origin),
        sentences.facts_line(paper),
        paper.get_absolute_url(),
        paper.pdf_url if lengths.pdf else "",
        tuple(reasons),
        why,
    )


def items_of(digest: Digest, shelf: Shelf, without: Iterable[int] = (), *, lengths: Lengths = WHOLE) -> list[Item]:
    """The digest's papers, numbered from 1; those in ``without`` and those that are gone close up."""
    picks = shown_picks(digest, shelf, without)
    reasons = [sentences.reasons_in_words(p.get("why", []), shelf.topics, shelf.papers) for p in picks]
    covers = len(shelf.days_of(digest)) > 1
    items = []
    for number, (p, own) in enumerate(zip(picks, reasons, strict=True), start=1):
        why = sentences.why_line(own, others_have_reasons=any(reasons), covers=covers)
        blurb = shelf.blurbs.get(p["paper"], "")
        items.append(item(shelf.papers[p["paper"]], number, blurb=blurb, reasons=own, why=why, lengths=lengths))
    return items


def shown_picks(digest: Digest, shelf: Shelf, without: Iterable[int]) -> list[Mapping[str, Any]]:
    """The picks that the mail shows."""
    gone = set(without)
    return [p for p in digest.picks if p["paper"] not in gone and p["paper"] in shelf.papers]


def follow_ups_of(digest: Digest, shelf: Shelf) -> list[FollowUp]:
    """News of earlier papers; of one that an editor hid meanwhile there is none."""
    found = ((shelf.papers.get(row["paper"]), sentences.follow_up_line(row["what"])) for row in digest.follow_ups)
    return [FollowUp(p, said) for p, said in found if p and said and not p.hidden_at]


def _paper_text(text: str) -> SafeString:
    """A paper's own words. Its language is said where the mail's is another, its direction where that differs."""
    foreign = (get_language() or OF_PAPERS).partition("-")[0] != OF_PAPERS
    rtl = _is_right_to_left(text)
    # An element with a direction ends what a control of direction in the text begins.
    if rtl == get_language_bidi() and not foreign and undirected(text) == text:
        return mark_safe(escape(text))  # noqa: S308 - it is escaped
    language = mark_safe(f' lang="{OF_PAPERS}"') if foreign else ""  # noqa: S308 - a constant
    return format_html('<span{} dir="{}">{}</span>', language, "rtl" if rtl else "ltr", text)


def _is_right_to_left(text: str) -> bool:
    """By the first strong character (Unicode Standard Annex 9, rule P2)."""
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in {"L", "R", "AL"}), "L")
    return first != "L"
