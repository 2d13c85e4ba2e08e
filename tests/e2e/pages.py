"""Every page in every state: what it is called here, how a browser gets there, and the heading that it then has.

``LOOKS`` are opened by their address, ``PRESSES`` come after a button, ``SPECIAL`` need more. All begin with the same
``Cast``, and what they change is undone after each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from digest import feedback
from digest.models import Digest, Edition
from digest.rendering import Shelf, digest_message
from subscriptions import consent, lifecycle, links, privacy
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber, Topic
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.e2e.conftest import heading, press

YESTERDAY = TODAY - timedelta(days=1)
Kind = SignupRequest.Kind
Address = Callable[["Cast"], str]
SUBSCRIBE, LOST_LINK = "Trending papers in your email inbox, once a day", "Get a link to your settings"
TAKE, EXPIRED, INCOMPLETE = "Use this address", "This link has expired", "This link is not complete"
BAD_PREFERENCES = {"Time of the digest": "", "Muted words": "x", "Authors to follow": "A" * 90}
NOT_AN_ADDRESS = {"Email address": "not an address"}


def ask(kind, reader, email="", at=NOW):
    """A letter that was asked for, of this reader and to this address."""
    return SignupRequest.objects.create(kind=kind, email=email or reader.email, created_at=at, subscriber=reader)


class Cast(SimpleNamespace):
    """Papers that are hard on a layout, two editions, and a reader in each state."""

    @classmethod
    def made(cls):
        made = cls()
        made.robotics = Topic.objects.create(
            slug="robotics", name="Robotics", description="Robots.", categories=["cs.RO"], terms=["robot"]
        )
        speech = Topic.objects.create(
            slug="speech", name="Speech", description="Speech.", categories=["eess.AS"], terms=["speech recognition"]
        )
        papers = made.papers = [
            make_paper(1, "A robot study", code_url="https://github.com/x/y", stars=1200, comments=3),
            make_paper(2, "Di-" + "methylaminophenyl" * 6, authors=[f"Author {n}" for n in range(400)]),
            make_paper(3, "学習について", abstract="https://example.org/" + "path" * 40, upvotes=0),
        ]
        make_edition([make_paper(4, day=YESTERDAY)], YESTERDAY)
        make_edition(papers)
        reader = made.reader = make_reader("reader", made.robotics, speech)
        make_digest(reader, papers, Digest.State.ACCEPTED)
        make_digest(reader, [], Digest.State.SKIPPED, YESTERDAY, reason="no match in your topics")
        for paper, verb in zip(papers, ("save", "less", "more"), strict=True):
            feedback.say(reader.pk, paper, verb, NOW)
        made.paused = make_reader(
            "paused", made.robotics, paused_until=NOW + timedelta(days=9), weekdays=1, paper_limit=5
        )
        own = {"phrases": ("protein folding",), "authors": ("Ana Exemplar",), "muted_words": ("blockchain",)}
        interests = Interests((made.robotics.pk,), muted_topics=(speech.pk,), **own)
        lifecycle.choose(made.paused, {}, interests, NOW, Origin("test"))
        made.gone, made.long_gone = (
            make_reader(name, left_at=NOW - timedelta(hours=hours)) for name, hours in (("gone", 0), ("long-gone", 2))
        )
        Subscriber.objects.filter(left_at__lte=NOW).update(state="unsubscribed", next_due_at=None)
        for left in (made.gone, made.long_gone):
            consent.note(left, ConsentEvent.Kind.WITHDRAWN, left.left_at, Origin(lifecycle.BY_BUTTON))
        made.nobody = Subscriber(pk=999_999)
        pending = made.pending = make_reader("pending", state="pending")
        pending.email = "pending@" + "long-name." * 8 + "example.org"
        pending.save()
        made.signup, made.moving = ask(Kind.SIGN_UP, pending), ask(Kind.MOVE, reader, "new@example.org")
        made.fresh = links.fresh_path(ask(Kind.LINK, reader), NOW)
        return made


@dataclass(frozen=True)
class Look:
    """A page that is opened by its address."""

    path: Address
    heading: str


@dataclass(frozen=True)
class Press:
    """The page that comes when its form is filled in and a button of it pressed."""

    path: Address
    button: str
    heading: str
    fields: dict[str, str] = field(default_factory=dict)


def at(name: str, *arguments: object, query: str = "") -> Address:
    """The same address for everybody."""
    return lambda cast: reverse(name, args=arguments) + query


def of(who: str, name: str, *, days: int = 0, query: str = "") -> Address:
    """A page behind a reader's link, which is so many days old."""
    return lambda cast: managed(getattr(cast, who), name, days=days) + query


def managed(reader: Subscriber, name: str, *more: object, days: int = 0) -> str:
    """The path behind a link of the reader's to settings and digests."""
    return reverse(name, args=[links.manage_token(reader, NOW - timedelta(days=days)), *more])


def say(number: int, verb: str, *, days: int = 0) -> Address:
    """The page behind "More like no. 1"."""

    def path(cast):
        token = links.feedback_token(cast.reader, NOW - timedelta(days=days))
        return reverse("feedback", args=[token, cast.papers[number].pk, verb])

    return path


def mute(who: str) -> Address:
    """The page that mutes the first topic."""
    return lambda cast: managed(getattr(cast, who), "mute", cast.robotics.pk)


def before_leaving(cast):
    """A letter to confirm that was asked for before its reader left."""
    return ask(Kind.SIGN_UP, cast.gone, at=NOW - timedelta(days=1))


LOOKS = {
    "front page": Look(at("today"), "Daily Papers"),
    "a day": Look(at("day", YESTERDAY), "Daily Papers"),
    **{
        f"a day as the mail ?{look}": Look(at("day-mail", YESTERDAY, query=f"?{look}"), "A robot study, part 4")
        for look in (
            "",
            "part=text",
            "part=headers",
            "part=checks",
            "width=375&scheme=dark",
            "scheme=forced&styles=off",
        )
    },
    "a paper": Look(lambda cast: cast.papers[1].get_absolute_url(), "Di-" + "methylaminophenyl" * 6),
    "subscribe": Look(at("subscribe"), SUBSCRIBE),
    "try out topics": Look(at("try-out", query="?topic=robotics&topic=gone&words=zz"), "See what you would get"),
    "try out with an error": Look(at("try-out", query="?words=x"), "See what you would get"),
    "check your email": Look(at("check-email"), "Check your email"),
    "lost link": Look(at("lost-link"), LOST_LINK),
    "check your email for a link": Look(at("check-email", query="?for=link"), "Check your email"),
    "404": Look(lambda cast: "/nowhere/", "Page not found"),
    "no such day": Look(lambda cast: "/days/2020-01-01/", "Page not found"),
    "confirm": Look(lambda cast: links.confirm_path(cast.signup, NOW), "One press, and you are subscribed"),
    "late confirm": Look(lambda cast: links.confirm_path(cast.signup, NOW - timedelta(days=4)), EXPIRED),
    "bad confirm": Look(at("confirm", "nonsense"), INCOMPLETE),
    "confirm again": Look(lambda cast: links.confirm_path(ask(Kind.SIGN_UP, cast.reader), NOW), "You are subscribed"),
    "confirm by a link from before leaving": Look(
        lambda cast: links.confirm_path(before_leaving(cast), NOW), "You left after this mail"
    ),
    "preferences of a reader who was erased": Look(of("nobody", "preferences"), "Nothing is kept for this link"),
    "confirm of an address that was changed": Look(
        lambda cast: links.confirm_path(ask(Kind.SIGN_UP, make_reader("moved"), "before@example.org"), NOW),
        "This link is for another address",
    ),
    "not me": Look(lambda cast: links.not_me_path(cast.signup, NOW), "Somebody else typed your address?"),
    "preferences": Look(of("reader", "preferences"), "Your settings"),
    "preferences, confirmed": Look(of("reader", "preferences", query="?confirmed=1"), "Your settings"),
    "preferences, moved": Look(of("reader", "preferences", query="?moved=1"), "Your settings"),
    "preferences, paused and weekly": Look(of("paused", "preferences"), "Your settings"),
    "preferences, unsubscribed": Look(of("gone", "preferences"), "Your settings"),
    "preferences, pending": Look(of("pending", "preferences"), "Your settings"),
    "late preferences": Look(of("reader", "preferences", days=31), EXPIRED),
    "pause": Look(of("reader", "pause"), "Pause your digests"),
    "paused": Look(of("paused", "pause"), "Your digests are paused"),
    "mute": Look(mute("reader"), "Mute Robotics"),
    "mute the only one": Look(mute("long_gone"), "Mute Robotics"),
    "fewer": Look(of("reader", "fewer"), "Fewer papers"),
    "fewer than the fewest": Look(of("paused", "fewer"), "It is the smallest number already"),
    "weekly": Look(of("reader", "weekly"), "One digest a week"),
    "weekly already": Look(of("paused", "weekly"), "One digest a week"),
    "ask for a fresh link": Look(of("reader", "fresh-link"), "Your data"),
    "reader page": Look(of("reader", "reader"), "Your digests"),
    "reader page, paused": Look(of("paused", "reader"), "Your digests"),
    "answer": Look(of("reader", "reader", query="?asked=nothing-new"), "Your digests"),
    "a digest": Look(lambda cast: managed(cast.reader, "own-digest", TODAY), "Your digest"),
    "more like a paper": Look(say(0, "more"), "More like this"),
    "less like a paper": Look(say(1, "less"), "Less like this"),
    "save a paper": Look(say(0, "save"), "Save for later"),
    "saved papers": Look(of("reader", "saved"), "Your saved papers"),
    "no saved papers": Look(of("paused", "saved"), "Your saved papers"),
    "what was learned": Look(of("reader", "learned"), "What your digests have learned"),
    "nothing was learned": Look(of("paused", "learned"), "What your digests have learned"),
    "begin anew": Look(of("reader", "begin-anew"), "Begin anew"),
    "late feedback": Look(say(0, "more", days=91), EXPIRED),
    "own data": Look(lambda cast: cast.fresh, "Your data"),
    "late own data": Look(lambda cast: links.fresh_path(cast.moving, NOW - timedelta(minutes=16)), EXPIRED),
    "bad own data": Look(at("own-data", "nonsense"), INCOMPLETE),
    "change the address": Look(lambda cast: f"{cast.fresh}address/", "Change your address"),
    "erase": Look(lambda cast: f"{cast.fresh}erase/", "Erase everything"),
    "move": Look(lambda cast: links.move_path(cast.moving, NOW), TAKE),
    "late move": Look(lambda cast: links.move_path(cast.moving, NOW - timedelta(days=4)), EXPIRED),
    "unsubscribe": Look(lambda cast: links.unsubscribe_path(cast.reader, NOW), "Unsubscribe"),
    "bad unsubscribe": Look(at("unsubscribe", "nonsense"), INCOMPLETE),
    "unsubscribed a minute ago": Look(
        lambda cast: links.unsubscribe_path(cast.gone, NOW), "You are unsubscribed already"
    ),
    "unsubscribed long ago": Look(
        lambda cast: links.unsubscribe_path(cast.long_gone, NOW), "You are unsubscribed already"
    ),
    "left": Look(lambda cast: links.left_path(cast.gone, NOW), "You are unsubscribed"),
    "left, too late to undo": Look(lambda cast: links.left_path(cast.long_gone, NOW), "You are unsubscribed"),
    "left, but back again": Look(lambda cast: links.left_path(cast.reader, NOW), "You are subscribed again"),
    "late undo": Look(lambda cast: links.left_path(cast.gone, NOW - timedelta(hours=2)), EXPIRED),
}
PRESSES = {
    "subscribe with an error": Press(at("subscribe"), "Subscribe", SUBSCRIBE, NOT_AN_ADDRESS),
    "lost link with an error": Press(at("lost-link"), "Mail me a link", LOST_LINK, NOT_AN_ADDRESS),
    "preferences with an error": Press(of("reader", "preferences"), "Save", "Your settings", BAD_PREFERENCES),
    "settings tried out": Press(of("reader", "preferences"), "See what you would have got", "What you would have got"),
    "pause with an error": Press(of("reader", "pause"), "Pause", "Pause your digests"),
    "muted": Press(mute("reader"), "Mute Robotics", "Robotics is muted"),
    "fewer now": Press(of("reader", "fewer"), "Get at most 5 papers", "Fewer papers"),
    "weekly now": Press(of("reader", "weekly"), "Get one digest a week", "One digest a week"),
    "saved": Press(of("reader", "preferences"), "Save", "Your digests"),
    "said": Press(say(0, "more"), "More like this", "More like this"),
    "removed": Press(of("reader", "saved"), "Remove A robot study", "Your saved papers"),
    "forgotten": Press(
        of("reader", "learned"),
        "Forget what you said of Di-" + "methylaminophenyl" * 6,
        "What your digests have learned",
    ),
    "begun anew": Press(of("reader", "begin-anew"), "Begin anew", "What your digests have learned"),
    "fresh link sent": Press(of("reader", "fresh-link"), "Mail me a link", "Check your email"),
    "change the address with an error": Press(
        lambda cast: f"{cast.fresh}address/",
        "Send the link",
        "Change your address",
        {"New email address": "not an address"},
    ),
    "new address asked": Press(
        lambda cast: f"{cast.fresh}address/",
        "Send the link",
        "Check the new address",
        {"New email address": "next@example.org"},
    ),
    "move to an address that is taken": Press(
        lambda cast: links.move_path(ask(Kind.MOVE, cast.reader, cast.paused.email), NOW),
        TAKE,
        "This address cannot be used now",
    ),
    "left with an error": Press(
        lambda cast: links.left_path(cast.gone, NOW), "Send the answer", "You are unsubscribed"
    ),
    "blocked": Press(
        lambda cast: links.not_me_path(before_leaving(cast), NOW),
        "Block mail to this address",
        "Mail to this address is blocked",
    ),
    "unsubscribed": Press(lambda cast: links.unsubscribe_path(cast.reader, NOW), "Unsubscribe", "You are unsubscribed"),
    "thanks": Press(lambda cast: links.left_path(cast.gone, NOW) + "?thanks=1", "Undo", "You are subscribed again"),
    "erased": Press(lambda cast: f"{cast.fresh}erase/", "Erase everything", "Everything is erased"),
}


@dataclass(frozen=True)
class Visit:
    """What a special page is reached with."""

    page: Page
    site: str
    cast: Cast
    settings: Any  # pytest-django's
    patch: pytest.MonkeyPatch
    folder: Path  # empty

    def open(self, name: str) -> None:
        """A page of the site that belongs to nobody."""
        self.page.goto(self.site + reverse(name))


def empty_front_page(visit):
    Edition.objects.all().delete()
    visit.open("today")
    assert visit.page.get_by_text("The first list is being made").is_visible()


def not_yet(*_):
    """What erasing does while a mail to the reader is on the wire."""
    raise privacy.NotYet


def being_erased(visit):
    visit.patch.setattr(privacy, "erase", not_yet)
    visit.page.goto(f"{visit.site}{visit.cast.fresh}erase/")
    press(visit.page, "Erase everything")
    assert heading(visit.page) == "Everything is being erased"


def whole_form_with_an_error(visit):
    visit.open("subscribe")
    visit.page.locator("[name=made]").evaluate("made => { made.value = 'cut' }")
    visit.page.get_by_label("Email address").fill("kept@example.org")
    press(visit.page, "Subscribe")
    assert visit.page.get_by_role("alert").inner_text().endswith("Press the button again.")
    assert visit.page.get_by_role("alert").get_by_role("link").count() == 0
    assert visit.page.get_by_label("Email address").input_value() == "kept@example.org"


def too_many(visit):
    visit.settings.SIGNUPS_PER_NETWORK = ((timedelta(hours=1), 0),)
    visit.open("subscribe")
    visit.page.get_by_label("Email address").fill("kept@example.org")
    press(visit.page, "Subscribe")
    assert heading(visit.page) == "Too many tries"


def form_without_its_cookie(visit):
    """The sign-up form is offered again instead, and behind a token a filled form needs none: it has to be empty."""
    visit.page.goto(visit.site + managed(visit.cast.reader, "fewer"))
    visit.page.evaluate("document.querySelectorAll('form [name]').forEach(field => field.removeAttribute('name'))")
    visit.page.context.clear_cookies()
    press(visit.page, "Get at most 5 papers")
    assert heading(visit.page) == "The form was not sent"


def sign_up_without_its_cookie(visit):
    visit.open("subscribe")
    visit.page.get_by_label("Email address").fill("kept@example.org")
    visit.page.context.clear_cookies()
    press(visit.page, "Subscribe")
    assert visit.page.get_by_role("alert").inner_text().endswith("Press the button again.")
    assert visit.page.get_by_label("Email address").input_value() == "kept@example.org"


def unreadable_form(visit):
    visit.settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    visit.open("subscribe")
    visit.page.get_by_label("Email address").fill("kept@example.org")
    press(visit.page, "Subscribe")
    assert heading(visit.page) == "We could not read that"


def mailbox(visit):
    """Of the demo: a digest as a file."""
    visit.settings.DEBUG = True
    visit.settings.EMAIL_FILE_PATH = str(visit.folder)
    digest = make_digest(visit.cast.paused, visit.cast.papers)
    message = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW)
    (visit.folder / "digest.eml").write_bytes(message.message().as_bytes())
    visit.open("mailbox")
    assert heading(visit.page) == "Mailbox"


def letter_of_the_mailbox(visit):
    mailbox(visit)
    visit.page.get_by_role("link", name="A robot study").click()
    visit.page.wait_for_url("**/digest.eml/")


SPECIAL = {
    "empty front page": empty_front_page,
    "being erased": being_erased,
    "subscribe with an error of the whole form": whole_form_with_an_error,
    "429": too_many,
    "form without its cookie": form_without_its_cookie,
    "sign-up without its cookie": sign_up_without_its_cookie,
    "400": unreadable_form,
    "mailbox": mailbox,
    "a letter of the mailbox": letter_of_the_mailbox,
}
