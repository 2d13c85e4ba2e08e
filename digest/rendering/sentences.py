"""What mails say in words, in the active language: whole sentences for translators, each once for both parts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.utils.dateformat import format as as_text
from django.utils.formats import number_format
from django.utils.translation import get_language_bidi, ngettext, pgettext
from django.utils.translation import gettext as _

from digest.models import Digest, Paper, SourceRun
from digest.text import isolated, needs_isolation, shorten
from subscriptions.languages import listed

NAMED_AUTHORS = 3
LIKED_LENGTH = 70  # characters of a liked paper's title
FEATURED, ANNOUNCED = "huggingface", "arxiv_rss"


def foreign(text: str) -> str:
    """Somebody else's words for a line of ours: letters of the other direction move nothing around them."""
    return isolated(text, rtl=get_language_bidi())


def room_for(text: str, room: int) -> int:
    """How many characters of ``room`` a text can have, if its isolates are to have room there too."""
    return room - 2 * needs_isolation(text, rtl=get_language_bidi())


def number(value: int) -> str:
    """With the thousands apart, as the language has it."""
    return number_format(value, force_grouping=True)


def day_in_words(day: date) -> str:
    """Like "Friday 20 March 2026". The formats are Django's, for translators to put in their order."""
    return as_text(day, pgettext("date format", "l j F Y"))


def days_in_words(days: Sequence[date]) -> str:
    """From the first to the last of some days: "16 to 20 March 2026", "30 December 2025 to 2 January 2026"."""
    first, last = min(days), max(days)
    if first.year != last.year:
        start = as_text(first, pgettext("date format", "j F Y"))
    elif first.month != last.month:
        start = as_text(first, pgettext("date format", "j F"))
    else:
        start = as_text(first, pgettext("date format", "j"))
    end = as_text(last, pgettext("date format", "j F Y"))
    return pgettext("days", "%(first)s to %(last)s") % {"first": start, "last": end}


def hour_in_words(at: datetime) -> str:
    """Like "06:05", in UTC."""
    return as_text(at.astimezone(UTC), pgettext("date format", "H:i"))


def heading(papers: int, day: date, days: Sequence[date], weekly: bool) -> str:
    """What the mail holds: one day's papers, those of several days that a reader catches up on, or of a week."""
    values = {"papers": number(papers)}
    if len(days) < 2:
        values["day"] = day_in_words(day)
        return ngettext("%(papers)s paper for %(day)s", "%(papers)s papers for %(day)s", papers) % values
    values["days"] = days_in_words(days)
    if weekly:
        return (
            ngettext("Your week: %(papers)s paper of %(days)s", "Your week: %(papers)s papers of %(days)s", papers)
            % values
        )
    return ngettext("%(papers)s paper of %(days)s", "%(papers)s papers of %(days)s", papers) % values


def order_line(papers: int, counted_at: datetime | None) -> str:
    """How the papers are ordered, and when their votes were counted."""
    values = {"hour": hour_in_words(counted_at)} if counted_at else {}
    if papers > 1:
        return _("In order of trend, upvotes counted %(hour)s UTC.") % values if counted_at else _("In order of trend.")
    return _("Upvotes counted %(hour)s UTC.") % values if counted_at else ""


def more_line(papers: int) -> str:
    """How many papers of a digest its mail has no room for; "" for none."""
    if not papers:
        return ""
    words = ngettext("%(more)s more paper for you on the web", "%(more)s more papers for you on the web", papers)
    return words % {"more": number(papers)}


def authors_line(authors: Sequence[str]) -> str:
    """Three names, then how many more: 3,303 authors fit a line."""
    named = _(", ").join(map(foreign, authors[:NAMED_AUTHORS]))
    more = len(authors) - NAMED_AUTHORS
    if more <= 0:
        return named
    words = ngettext("%(names)s and %(more)s other", "%(names)s and %(more)s others", more)
    return words % {"names": named, "more": number(more)}


def facts_line(paper: Paper) -> str:
    """Like "55 upvotes, 2 comments, 20 GitHub stars"; what is not counted is not said."""
    said = []
    if paper.upvotes:
        said.append(ngettext("%(n)s upvote", "%(n)s upvotes", paper.upvotes) % {"n": number(paper.upvotes)})
    if paper.comments:
        said.append(ngettext("%(n)s comment", "%(n)s comments", paper.comments) % {"n": number(paper.comments)})
    if paper.stars:
        said.append(ngettext("%(n)s GitHub star", "%(n)s GitHub stars", paper.stars) % {"n": number(paper.stars)})
    return listed(said)


def origin_label(origin: str) -> str:
    """Who wrote the sentences under the title."""
    return {
        Paper.Origin.ABSTRACT: _("Abstract"),
        Paper.Origin.SUMMARY: _("Summary"),
        Paper.Origin.AI: _("AI summary"),
        Paper.Origin.EDITOR: _("Editor"),
    }[Paper.Origin(origin)]


def reasons_in_words(
    why: Iterable[Mapping[str, Any]], topics: Mapping[int, str], papers: Mapping[int, Paper]
) -> list[str]:
    """Why one paper is in a digest, a phrase for each of the row's reasons; a topic that is gone says nothing.

    ``papers`` has those that the reader liked.
    """
    said = []
    for reason in why:
        if "phrase" in reason:
            said.append(_("your keyword “%(phrase)s”") % {"phrase": foreign(reason["phrase"])})
        elif "author" in reason:
            said.append(_("you follow %(author)s") % {"author": foreign(reason["author"])})
        elif "like" in reason:
            said.append(_like(papers.get(reason["like"])))
        elif topic := topics.get(reason["topic"]):
            topic = foreign(topic)
            terms = listed(_("“%(word)s”") % {"word": foreign(term)} for term in reason.get("terms", ())[:2])
            if terms:
                said.append(_("your topic %(topic)s (it names %(terms)s)") % {"topic": topic, "terms": terms})
            else:
                values = {"topic": topic, "category": reason["category"]}
                said.append(_("your topic %(topic)s (it is listed in %(category)s)") % values)
    return said


def _like(paper: Paper | None) -> str:
    if paper is None or paper.hidden_at:
        return _("it is similar to papers that you liked")
    return _("it is similar to “%(title)s”, which you liked") % {"title": foreign(shorten(paper.title, LIKED_LENGTH))}


def why_line(reasons: Sequence[str], others_have_reasons: bool = True, covers: bool = False) -> str:
    """The reasons as one sentence; of a paper without any, why it is there all the same."""
    if reasons:
        return _("Why you got this: %(reasons)s") % {"reasons": _("; ").join(reasons)}
    if others_have_reasons:
        return _("Why you got this: also popular")
    return _("Why you got this: trending on these days") if covers else _("Why you got this: trending today")


def follow_up_line(what: str) -> str:
    """What became of a paper that the reader has; "" for a kind that another version of the code wrote."""
    words: dict[str, str] = {
        Digest.FollowUp.WITHDRAWN: _("It has been withdrawn since we sent it to you."),
        Digest.FollowUp.CODE: _("Its code has been released since we sent it to you."),
        Digest.FollowUp.TOOK_OFF: _("It has taken off since we sent it to you."),
    }
    return words.get(what, "")


def freshness_lines(sources: Iterable[Mapping[str, str]], day: date) -> list[str]:
    """What an edition of ``day`` stands on, a phrase for each source. Reasons of faults are for the operators."""
    return [_freshness(source, day) for source in sources]


def _freshness(source: Mapping[str, str], day: date) -> str:
    papers = int(source.get("papers") or 0)
    day_and_month = as_text(day, pgettext("date format", "l j F"))
    values = {"source": _source_name(source["source"]), "papers": number(papers), "day": day_and_month}
    state, reason = source["state"], source.get("reason", "")
    if state == SourceRun.State.FRESH:
        if source["source"] == ANNOUNCED:
            return (
                ngettext(
                    "arXiv batch of %(day)s, complete: %(papers)s paper",
                    "arXiv batch of %(day)s, complete: %(papers)s papers",
                    papers,
                )
                % values
            )
        if source["source"] == FEATURED:
            return (
                ngettext(
                    "%(papers)s paper featured by Hugging Face Daily Papers",
                    "%(papers)s papers featured by Hugging Face Daily Papers",
                    papers,
                )
                % values
            )
        return ngettext("%(source)s (%(papers)s paper)", "%(source)s (%(papers)s papers)", papers) % values
    if state == SourceRun.State.PARTIAL:
        return (
            ngettext(
                "%(source)s (%(papers)s paper; a part of the list could not be read)",
                "%(source)s (%(papers)s papers; a part of the list could not be read)",
                papers,
            )
            % values
        )
    if state == SourceRun.State.QUIET:
        return _quiet(reason) % values
    words: dict[str, str] = {
        SourceRun.State.WAITING: _("%(source)s (not in yet)"),
        SourceRun.State.STALLED: _("%(source)s (not renewed)"),
        SourceRun.State.FAILED: _("%(source)s (could not be read)"),
    }
    return words.get(state, _("%(source)s (not read yet)")) % values


def _quiet(reason: str) -> str:
    if reason.startswith("weekend"):
        return _("%(source)s (nothing, as on every weekend)")
    if reason.startswith("arXiv holiday"):
        return _("%(source)s (nothing, since arXiv has a holiday)")
    return _("%(source)s (nothing was announced)")


def _source_name(source: str) -> str:
    names = {
        FEATURED: "Hugging Face Daily Papers",
        ANNOUNCED: _("arXiv announcements"),
        "arxiv_api": "arXiv",
        "arxiv_oai": _("arXiv back-fill"),
        "sample": _("Sample papers"),
    }
    return names.get(source, source)
