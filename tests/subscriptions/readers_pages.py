"""Every page that readers can get, in every case that it knows, in one language."""

from datetime import UTC, datetime, timedelta

from django.core import signing
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from digest import feedback, profiles
from digest.models import Edition
from subscriptions import guard, letters, lifecycle, links
from subscriptions.consent import Origin
from subscriptions.forms import SAVED, stamp
from subscriptions.interests import Interests
from subscriptions.models import Budget, Interest, SignupRequest, Subscriber, Suppression, Topic
from subscriptions.tokens import NOBODY
from tests.conftest import NOW, TODAY, filled, make_digest, make_edition, make_paper, make_reader

Kind = SignupRequest.Kind
BAD_ADDRESSES = ("", "no address", "jörg@example.org", "ana@gmial.com")
BAD_SETTINGS = (
    {"phrases": "\n".join(f"line {n}" for n in range(51)), "authors": "x" * 81, "muted_words": "a", "cadence": "x"},
    {"topics": ["77"], "cadence": "daily", "hour": "noon", "zone": "Nowhere", "paper_limit": "7", "language": "xx"},
)
BAD_PAUSES = (
    {"length": ""},
    {"length": "until"},
    {"length": "until", "until": "soon"},
    {"length": "until", "until": "2026-03-20"},
    {"length": "until", "until": "2028-01-01"},
)
# What rows of digests say of a day: state and reason.
HISTORY = (
    *((state, "") for state in ("planned", "claimed", "sending", "accepted", "uncertain", "suppressed", "cancelled")),
    *(
        ("skipped", reason)
        for reason in ("no new papers", "no match in your topics", "too late", "held by the editors")
    ),
    *(("skipped", reason) for reason in ("paused", "papers withdrawn")),
    *(("cancelled", reason) for reason in ("unsubscribed", "suppressed")),
    ("uncertain", "the worker ended during the hand-over"),
    ("rejected", "the recipient was refused (550)"),
    ("failed", ""),
    ("failed", "outcome unknown"),
)


def in_browser(code, monkeypatch, settings):
    """The pages that know nobody: in the language that the browser asks for. Name, HTML."""
    browser = Client(headers={"accept-language": code})
    for name in ("subscribe", "lost-link"):
        yield name, browser.get(reverse(name))
        for address in BAD_ADDRESSES:
            yield f"{name} {address!r}", browser.post(reverse(name), filled(address))
    yield from _forms_that_came_oddly(browser, settings)
    settings.DEBUG, settings.EMAIL_FILE_PATH = True, "var/mail"
    for query in ("", "?for=link"):
        yield f"check your email {query}", browser.get(reverse("check-email") + query)
    settings.DEBUG = False
    yield "no day yet", browser.get("/")
    yield "no day to try out", browser.get(reverse("try-out"))
    papers = list(_papers())
    for number, paper in enumerate(papers, start=1):
        yield f"paper {number}", browser.get(paper.get_absolute_url())
    yield from _days(browser, papers)
    yield from _tried_out(browser, settings)
    yield "no page", browser.get("/nowhere/")
    strict = Client(True, headers={"accept-language": code})
    yield "no cookie", strict.post(reverse("subscribe"), filled("a@b.example"))
    yield "no cookie and no form", strict.post(reverse("confirm", args=["nonsense"]))
    for name in ("confirm", "unsubscribe", "preferences", "own-data", "left", "move"):
        yield f"bad link to {name}", browser.get(reverse(name, args=["nonsense"]))
    with monkeypatch.context() as patch:
        patch.setattr(guard, "admit", lambda *_: False)
        yield "too many", browser.post(reverse("subscribe"), filled("ana@example.org"))
    with translation.override(code):
        for name in ("400.html", "500.html"):
            yield name, render_to_string(name)


def _forms_that_came_oddly(browser, settings):
    settings.FORM_MIN_SECONDS = 2
    old = signing.TimestampSigner(salt="subscriptions.forms.made")
    old.timestamp = lambda: signing.b62_encode(1)
    for name, made in (("fast", stamp()), ("stale", old.sign("form")), ("broken", "")):
        yield name, browser.post(reverse("subscribe"), {"email": "ana@example.org", "made": made})
    settings.FORM_MIN_SECONDS = 0


def _days(browser, papers):
    states = ("fresh", "waiting", "stalled", "failed", "not read")
    sources = [{"source": "arxiv_rss", "state": state, "papers": "1"} for state in states]
    quiet = [{"source": "arxiv_api", "state": "quiet", "reason": why} for why in ("weekend", "arXiv holiday", "")]
    make_edition([], TODAY - timedelta(days=2))
    make_edition(papers, TODAY - timedelta(days=1), standing_on=[*sources, *quiet])
    make_edition([make_paper(10)], TODAY)
    for back in range(3):
        yield f"day {back}", browser.get(reverse("day", args=[TODAY - timedelta(days=back)]))
    yield "no such day", browser.get("/days/2020-01-01/")


def _tried_out(browser, settings):
    for query in (
        "",
        "topic=robotics&topic=gone",
        "topic=gone&topic=gone2&words=zz",
        "words=x",
        "words=part+10&only=on",
    ):
        yield f"try out ?{query}", browser.get(f"{reverse('try-out')}?{query}")
    Edition.objects.exclude(day=TODAY - timedelta(days=1)).update(held=True)
    yield "try out while lists are held", browser.get(f"{reverse('try-out')}?words=it+works&papers=5")
    Edition.objects.update(held=False)
    allowed, settings.PREVIEWS_PER_NETWORK = settings.PREVIEWS_PER_NETWORK, ((timedelta(hours=1), 0),)
    yield "try out too often", browser.get(f"{reverse('try-out')}?words=often")
    settings.PREVIEWS_PER_NETWORK = allowed


def _papers():
    links_ = {"code_url": "https://example.org/code", "project_url": "https://example.org/project"}
    many = [f"Author {n}" for n in range(22)]
    yield make_paper(1, comments=1, stars=1, submitted_at=NOW, announced_on=NOW.date(), **links_)
    for number, origin in enumerate(("ai", "summary", "editor", "abstract"), start=2):
        authors = many if number % 2 else many[:21]
        yield make_paper(number, comments=2, stars=2, authors=authors, blurb="It works.", blurb_origin=origin)
    paper = make_paper(9, doi="10.1000/182")
    type(paper).objects.filter(pk=paper.pk).update(arxiv_id=None)
    yield paper


def behind_links(code, monkeypatch):
    """The pages behind the links of mails: in their reader's language, whatever the browser asks for. Name, HTML."""
    client = Client(headers={"accept-language": "en"})
    cast = _cast(code)
    said = (_feedback, _said)
    for pages in (_settings, _tried_settings, _readers_own, _one_button, *said, _own_data, _joining, _leaving):
        yield from pages(client, cast)
    yield from _erasing(client, cast)


def _cast(code):
    robotics, speech = Topic.objects.order_by("slug")
    at = {"zone": "Asia/Tokyo", "language": code}
    cast = {
        "active": make_reader("active", robotics, **at),
        "rich": make_reader("rich", only_my_topics=True, weekdays=3, **at),
        "paused": make_reader("paused", paused_until=NOW + timedelta(days=9), weekdays=16, paper_limit=5, **at),
        "never": make_reader("never", weekdays=0, **at),
        "weekly": make_reader("weekly", weekdays=16, **at),
        "pending": make_reader("pending", state="pending", **at),
        "gone": make_reader("gone", state="unsubscribed", **at),
        "stopped": make_reader("stopped", **at),
    }
    own = Interests((robotics.pk,), ("protein folding",), ("Ana Unal",), (speech.pk,), ("crypto",))
    Interest.objects.bulk_create(own.rows(cast["rich"]))
    lifecycle.mute(cast["never"], speech, NOW, Origin("test"))
    Subscriber.objects.filter(pk=cast["never"].pk).update(next_due_at=None)
    Subscriber.objects.filter(pk=cast["gone"].pk).update(confirmed_at=NOW - timedelta(days=20))
    Suppression.objects.create(email_hash=cast["stopped"].email_hash, reason="complaint", created_at=NOW)
    Subscriber.objects.update(created_at=NOW - timedelta(days=60))  # before the late links of some
    for number, (state, reason) in enumerate(HISTORY):
        reader, day = cast["rich" if number % 2 else "weekly"], (NOW - timedelta(days=number // 2)).date()
        make_digest(reader, [], state=state, reason=reason, day=day)
    return cast


def _at(reader, name, *more):
    return reverse(name, args=[links.manage_token(reader, NOW), *more])


def _settings(client, cast):
    for name, reader in cast.items():
        yield f"settings, {name}", client.get(_at(reader, "preferences"))
        yield f"pause, {name}", client.get(_at(reader, "pause"))
    odd = make_reader("odd", zone="Mars/Olympus", language=cast["active"].language)
    yield "settings, zone that is gone", client.get(_at(odd, "preferences"))
    for query in ("?confirmed=1", "?moved=1"):
        yield f"settings {query}", client.get(_at(cast["active"], "preferences") + query)
    for number, values in enumerate(BAD_SETTINGS):
        yield f"settings with errors {number}", client.post(_at(cast["rich"], "preferences"), values)
    for number, values in enumerate(BAD_PAUSES):
        yield f"pause with errors {number}", client.post(_at(cast["active"], "pause"), values)


def _tried_settings(client, cast):
    chosen = {"hour": "07:30", "zone": "UTC", "paper_limit": "10", "cadence": "weekly", "weekly_day": "0"}
    for name, more in (("some", {"authors": "Ana Exemplar"}), ("none", {}), ("back", {"back": "1"})):
        yield f"try settings, {name}", client.post(_at(cast["active"], "try-settings"), {**chosen, **more})
    Budget.objects.filter(kind=Budget.Kind.PREVIEW).update(granted=10**6)
    more = {"authors": "Bo Sample"}
    yield "try settings too often", client.post(_at(cast["active"], "try-settings"), {**chosen, **more})


def _readers_own(client, cast):
    for name, reader in cast.items():
        yield f"own page, {name}", client.get(_at(reader, "reader"))
    every = ".".join(SAVED)
    for query in ("asked=planned", "asked=no-match", "asked=x", "saved=nothing", "saved=resumed", f"saved={every}"):
        yield f"own page ?{query}", client.get(_at(cast["active"], "reader") + "?" + query)
    yield "paused now", client.get(_at(cast["paused"], "reader") + "?saved=paused")


def _one_button(client, cast):
    robotics = Topic.objects.get(slug="robotics")
    for name in ("active", "never", "gone"):
        yield f"mute, {name}", client.get(_at(cast[name], "mute", robotics.pk))
    yield "muted", client.post(_at(cast["active"], "mute", robotics.pk), follow=True)
    for name in ("active", "paused"):
        yield f"fewer, {name}", client.get(_at(cast[name], "fewer"))
    yield "fewer now", client.post(_at(cast["active"], "fewer"), follow=True)
    for name in ("active", "weekly", "gone"):
        yield f"weekly, {name}", client.get(_at(cast[name], "weekly"))
    late = make_reader("late", language=cast["active"].language, due=NOW)
    yield "weekly now", client.post(_at(late, "weekly"), follow=True)
    for done in ("", "?done=1"):
        gone = make_reader(f"gone{len(done)}", state="unsubscribed", weekdays=2, language=cast["active"].language)
        yield f"weekly, gone {done}", client.get(_at(gone, "weekly") + done)


def _feedback(client, cast):
    reader, paper = cast["active"], make_paper(20)
    for verb, other in (("more", "less"), ("less", "more")):
        at = [reverse("feedback", args=[links.feedback_token(reader, NOW), paper.pk, word]) for word in (verb, other)]
        yield f"say {verb}", client.get(at[0])
        yield f"said {verb}", client.post(at[0], follow=True)
        yield f"the other than {verb}", client.get(at[1])
        yield f"not {verb} after all", client.post(at[0], {"undo": "1"}, follow=True)
    save = reverse("feedback", args=[links.feedback_token(reader, NOW), paper.pk, "save"])
    yield "say save", client.get(save)
    yield "said save", client.post(save, follow=True)
    yield "not saved after all", client.post(save, {"undo": "1"}, follow=True)
    type(paper).objects.filter(pk=paper.pk).update(hidden_at=NOW)
    yield "say more like a hidden paper", client.get(at[1])
    yield "save a hidden paper", client.get(save)
    late = links.feedback_token(reader, NOW - timedelta(days=91))
    browser = Client(headers={"accept-language": reader.language})
    yield "late feedback", browser.get(reverse("feedback", args=[late, paper.pk, "more"]))


def _said(client, cast):
    reader = cast["active"]
    for name in ("saved", "learned", "begin-anew"):
        yield f"nothing said, {name}", client.get(_at(reader, name))
    papers = [make_paper(number) for number in range(100, 154)]
    for verb, some in (("save", papers[2:]), ("more", papers[:2]), ("less", papers[2:3])):
        for paper in some:
            feedback.say(reader.pk, paper, verb, NOW)
    yield "one more was said", client.post(_at(reader, "learned"), {"more": papers[1].pk}, follow=True)
    yield "a saved one teaches no more", client.post(_at(reader, "learned"), {"save": papers[3].pk}, follow=True)
    type(papers[0]).objects.filter(pk=papers[0].pk).update(hidden_at=NOW)
    type(papers[0]).objects.filter(pk=papers[4].pk).update(withdrawn_at=NOW)
    yield "learned", client.get(_at(reader, "learned"))
    profiles.renew(NOW, force=True)
    yield "learned as tastes", client.get(_at(reader, "learned"))
    for number in (1, 2):
        yield f"saved, page {number}", client.get(f"{_at(reader, 'saved')}?page={number}")
    yield "removed", client.post(_at(reader, "saved"), {"remove": papers[2].pk}, follow=True)
    yield "begun anew", client.post(_at(reader, "begin-anew"), follow=True)
    yield "saved, and teaching nothing", client.get(_at(reader, "saved"))


def _own_data(client, cast):
    reader, other = cast["active"], cast["paused"]
    yield "ask for a fresh link", client.get(_at(reader, "fresh-link"))
    yield "a fresh link to the stopped", client.get(_at(cast["stopped"], "fresh-link"))
    yield "late settings of the stopped", client.get(_late(cast["stopped"]))
    yield "a fresh link was sent", client.get(_at(reader, "fresh-link") + "?sent=1")
    fresh = links.fresh_path(letters.ask(Kind.LINK, reader.email, NOW, subscriber=reader), NOW)
    yield "own data", client.get(fresh)
    for query in ("", "?sent=1"):
        yield f"another address {query}", client.get(f"{fresh}address/{query}")
    for address in (*BAD_ADDRESSES, reader.email):
        yield f"another address {address}", client.post(f"{fresh}address/", filled(address))
    new = letters.ask(Kind.MOVE, "new@example.org", NOW, subscriber=reader)
    yield "move", client.get(links.move_path(new, NOW))
    taken = letters.ask(Kind.MOVE, other.email, NOW, subscriber=reader)
    yield "taken", client.post(links.move_path(taken, NOW))
    same = letters.ask(Kind.MOVE, reader.email, NOW, subscriber=reader)
    yield "moved", client.get(links.move_path(same, NOW))
    browser = Client(headers={"accept-language": reader.language})
    yield "late move", browser.get(links.move_path(new, NOW - timedelta(days=4)))
    yield "late own data", browser.get(links.fresh_path(new, NOW - timedelta(hours=1)))
    yield "late settings", browser.get(_late(reader))
    Subscriber.objects.filter(pk=other.pk).update(moved_at=NOW + timedelta(minutes=2))
    yield "settings of an earlier address", client.get(_at(other, "reader"))


def _late(reader):
    return reverse("reader", args=[links.manage_token(reader, NOW - timedelta(days=31))])


def _joining(client, cast):
    def asked(reader, email="", at=NOW):
        return letters.ask(Kind.SIGN_UP, email or reader.email, at, subscriber=reader)

    for name in ("pending", "active"):
        yield f"confirm, {name}", client.get(links.confirm_path(asked(cast[name]), NOW))
    pending = asked(cast["pending"], at=NOW - timedelta(days=4))
    yield "late confirm", client.get(links.confirm_path(pending, NOW - timedelta(days=4)))
    yield "confirm an earlier address", client.get(links.confirm_path(asked(cast["active"], "old@example.org"), NOW))
    Subscriber.objects.filter(pk=cast["gone"].pk).update(left_at=NOW)
    yield "left since", client.get(links.confirm_path(asked(cast["gone"], at=NOW - timedelta(days=1)), NOW))
    yield "not me", client.get(links.not_me_path(pending, NOW))
    yield "blocked", client.post(links.not_me_path(pending, NOW), follow=True)
    yield "confirm what is blocked", client.get(links.confirm_path(pending, NOW))


def _leaving(client, cast):
    browser, nobody = Client(headers={"accept-language": cast["active"].language}), Subscriber(pk=999_999)
    yield "unsubscribe", client.get(links.unsubscribe_path(cast["weekly"], NOW))
    yield "unsubscribed long ago", client.get(links.unsubscribe_path(cast["gone"], NOW))
    yield "unsubscribe nobody", browser.get(links.unsubscribe_path(nobody, NOW))
    yield "settings of nobody", browser.get(_at(nobody, "preferences"))
    yield "unsubscribe from an example", browser.get(links.unsubscribe_path(Subscriber(pk=NOBODY), NOW))
    yield "left", client.post(links.unsubscribe_path(cast["weekly"], NOW), {"button": "1"}, follow=True)
    left = links.left_path(cast["weekly"], NOW)
    yield "left, thanks", client.get(left + "?thanks=1")
    yield "no reason", client.post(left, {"reason": ""})
    yield "left, too late to undo", client.get(links.left_path(cast["gone"], NOW))
    yield "back again", client.get(links.left_path(cast["active"], NOW))
    yield "late undo", client.get(links.left_path(cast["weekly"], NOW - timedelta(hours=2)))


def _erasing(client, cast):
    def fresh(reader):
        return links.fresh_path(letters.ask(Kind.LINK, reader.email, NOW, subscriber=reader), NOW) + "erase/"

    yield "erase", client.get(fresh(cast["active"]))
    yield "erased", client.post(fresh(cast["active"]))
    busy = make_reader("busy", language=cast["weekly"].language)
    make_digest(busy, [], state="sending", free_at=datetime(2026, 3, 20, 8, tzinfo=UTC))
    yield "being erased", client.post(fresh(busy))
