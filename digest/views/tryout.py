"""Before subscribing, and before saving: what these choices would have brought in the last days. Changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from digest import planning, tryout
from digest.models import Digest
from digest.preview import PAPERS, Profile
from digest.rendering import Item, Shelf, items_of
from subscriptions import clock, guard, languages, page_limits
from subscriptions.forms import ChoiceForm, PreferencesForm, SignupForm
from subscriptions.parameters import reads
from subscriptions.views.pages import UNPROCESSABLE, reader_of, see_other, token_page, too_many
from subscriptions.views.settings import settings_page

NO_MAIL = {
    planning.HELD: _("No mail: the editors hold this day's list back."),
    planning.NO_MATCH: _("No mail: no paper of this day is in your topics, and you want these only."),
    planning.NO_EDITION: _("No mail: this day's list has nothing new for you."),
}
Admit = Callable[[str, datetime], bool]


@dataclass(frozen=True, slots=True)
class Day:
    """One day as it would have come: its papers, or why there is no mail."""

    day: date
    items: list[Item]
    no_mail: str | Promise


@reads(*ChoiceForm.base_fields)
@require_safe
def try_out(request: HttpRequest) -> HttpResponse:
    """For anybody, by a GET that can be kept and shared. The sign-up below takes the choice along."""
    form = ChoiceForm(request.GET)
    context: dict[str, Any] = {"form": form, "signup": SignupForm(choice=form)}
    if not form.is_valid():
        return render(request, "digest/try_out.html", context, status=UNPROCESSABLE)
    chosen = form.cleaned_data
    profile = Profile(
        topics=tuple(topic.pk for topic in chosen["topic"]),
        phrases=chosen["words"],
        papers=chosen["papers"] or PAPERS,
        only_my_topics=chosen["only"],
    )
    context["chosen"] = languages.listed([*(topic.name for topic in chosen["topic"]), *chosen["words"]])
    return _shown(request, "digest/try_out.html", context, profile, page_limits.admit_preview)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def try_settings(request: HttpRequest, token: str) -> HttpResponse:
    """For a reader, by the form of the settings as it was filled in: a POST, since choices do not belong into URLs.

    Nothing is saved. "Back" shows the form again as it was filled in, and so does what is wrong with it.
    """
    subscriber = reader_of(token)
    if request.method != "POST":
        return see_other(reverse("preferences", args=[token]))
    form = PreferencesForm(request.POST, instance=subscriber)
    if not form.is_valid() or "back" in request.POST:
        return settings_page(request, subscriber, form, token)
    chosen, own = form.choices(), form.interests()
    profile = Profile(
        topics=own.topics,
        phrases=own.phrases,
        authors=own.authors,
        muted_topics=own.muted_topics,
        muted_words=own.muted_words,
        papers=chosen["paper_limit"],
        only_my_topics=chosen["only_my_topics"],
    )
    filled = [(name, value) for name in form.fields for value in request.POST.getlist(name)]
    context = {"token": token, "filled": filled, "weekly": form.cleaned_data["cadence"] == "weekly"}
    return _shown(request, "digest/try_settings.html", context, profile, guard.admit_preview)


def _shown(
    request: HttpRequest, template: str, context: dict[str, Any], profile: Profile, admit: Admit
) -> HttpResponse:
    """The page with the days; or without them, where the network has had enough. What is remembered is free."""
    key = tryout.key_of(profile)
    digests = tryout.recall(key)
    if digests is None:
        now = clock.now()
        if not admit(guard.client_ip(request), now):
            return too_many(request, template, context | {"too_many": True})
        digests = tryout.last_digests(profile, now)
        tryout.remember(key, digests)
    if profile.topics or profile.phrases or profile.authors:
        said = _in_short(digests, profile.papers)
    else:
        said = gettext("Nothing is chosen, so these are the most popular papers of each day.")
    return render(request, template, context | {"days": _days(digests), "said": said})


def _days(digests: Sequence[Digest]) -> list[Day]:
    """Ready to show, in a handful of queries."""
    shelf = Shelf.for_digests(digests)
    days = []
    for digest in digests:
        items = items_of(digest, shelf)
        # Papers that went in between leave a day as empty as one without any.
        no_mail = "" if items else NO_MAIL.get(digest.reason, NO_MAIL[planning.NO_EDITION])
        days.append(Day(digest.day, items, no_mail))
    return days


def _in_short(digests: Sequence[Digest], most: int) -> str:
    """How many papers a day, in words, where a digest has at most ``most``. Less than one is never said as one."""
    mean, days = tryout.a_day(digests)
    if not days:
        return ""
    if not mean:
        said = gettext("No paper of these days is in your topics.")
    elif mean < 1:
        said = gettext("Less than one paper a day in your topics.")
    else:
        papers = int(mean + 0.5)
        said = ngettext(
            "About %(papers)d paper a day in your topics.", "About %(papers)d papers a day in your topics.", papers
        ) % {"papers": papers}
    counted = ngettext("Counted on %(days)d day.", "Counted on %(days)d days.", days) % {"days": days}
    full = gettext("That is as many as you want at most: there may be more.") if mean >= most else ""
    return f"{said} {counted} {full}".rstrip()
