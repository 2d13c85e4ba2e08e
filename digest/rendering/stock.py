"""What mails are joined from, each made when it is first asked for, and kept while there is room."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import translation
from django.utils.html import conditional_escape

from digest.kept import Kept
from digest.models import Digest
from digest.rendering import sentences
from digest.rendering.frames import Both, Counts, Frame, Marks
from digest.rendering.items import FollowUp
from digest.rendering.message import FEWER_WORDS, Phrase
from digest.rendering.offers import Offer
from digest.rendering.sheets import Said
from digest.rendering.shelf import Shelf
from subscriptions import languages
from subscriptions.emails import set_in_lines
from subscriptions.stencils import Stencil, Unfit, piece


class Stock:
    """Phrases, papers and frames in any language. A frame is about 30 KB, a paper 6, a phrase 1."""

    def __init__(self) -> None:
        self.marks = Marks()
        self._said = Kept[Said](4096)
        self._why = Kept[Said](4096)
        self._offers = Kept[tuple[Said, Stencil]](1024)
        self._papers = Kept[Both](4096)
        self._news = Kept[Both](1024)
        self._frames = Kept[Frame](128)

    def said(self, language: str, phrase: Phrase) -> Said:
        """A phrase. Raises Unfit."""
        key = language, phrase
        found = self._said.get(key)
        if found is None:
            say, *facts = phrase
            with translation.override(language):
                found = self._said.keep(key, _said(say(*facts)))
        return found

    def why(self, language: str, reasons: Sequence[Mapping[str, Any]], shelf: Shelf) -> Said:
        """Why a paper is in a digest; no words where no reason is left. Raises Unfit."""
        key = language, repr(reasons)
        found = self._why.get(key)
        if found is None:
            with translation.override(language):
                own = sentences.reasons_in_words(reasons, shelf.topics, shelf.papers)
                found = self._why.keep(key, _said(sentences.why_line(own) if own else ""))
        return found

    def offer(self, language: str, offer: Offer) -> tuple[Said, Stencil]:
        """An offer's words, and its address with a place for the token. Raises Unfit."""
        key = language, offer
        found = self._offers.get(key)
        if found is None:
            with translation.override(language):
                words = offer.words
                said = Said(piece(words), piece(conditional_escape(words)), words)  # within a line
                found = self._offers.keep(key, (said, self.marks.address(offer)))
        return found

    def paper(self, language: str, number: int, pk: int, shelf: Shelf, wordiness: int) -> Both:
        """A paper as the mail's number so-and-so, in the words of FEWER_WORDS[wordiness]. Raises Unfit."""
        key = language, number, pk, wordiness
        found = self._papers.get(key)
        if found is None:
            paper, blurb = shelf.papers[pk], shelf.blurbs.get(pk, "")
            with translation.override(language):
                found = self._papers.keep(key, self.marks.paper(number, paper, blurb, FEWER_WORDS[wordiness]))
        return found

    def news(self, language: str, news: FollowUp) -> Both:
        """News of a paper. Raises Unfit."""
        key = language, news
        found = self._news.get(key)
        if found is None:
            with translation.override(language):
                found = self._news.keep(key, self.marks.news(news))
        return found

    def frame(self, digest: Digest, code: str, shelf: Shelf, said: Mapping[str, Said], counts: Counts) -> Frame:
        """The frame of mails like this digest's, for readers who chose the language ``code``. Raises Unfit."""
        empty = tuple([name for name, words in said.items() if not words.words])
        key = code, digest.day, digest.cadence, digest.content_from, digest.content_to, empty, counts
        found = self._frames.get(key)
        if found is None:
            with translation.override(languages.offered(code)):
                found = self._frames.keep(key, self.marks.frame(digest, code, shelf, empty, counts))
        return found


def _said(words: str) -> Said:
    if words != words.strip():
        raise Unfit("words with a margin, which may be blank lines")
    return Said(piece(set_in_lines(words)), piece(conditional_escape(words)), words)
