"""Digests of which nobody knows whether they left: settled by the provider, a key, the transport, a person, or time."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.core.management import call_command
from django.urls import reverse

from digest import approval, delivery, ledger, outcomes, providers
from digest.models import Digest, Paper
from digest.providers import Key, Provider, Reports
from digest.views.reader import HAPPENED, history
from subscriptions import clock
from subscriptions.models import MailEvent
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATER = NOW + 11 * MINUTE


@pytest.fixture
def transport(settings):
    """Says what the transport of the tests can."""

    def can(policy="auto", **fields):
        settings.UNCERTAIN_MAILS = policy
        providers.PROVIDERS[settings.EMAIL_BACKEND] = Provider("test", **{"reports": Reports.NONE, **fields})

    before = providers.PROVIDERS[settings.EMAIL_BACKEND]
    yield can
    providers.PROVIDERS[settings.EMAIL_BACKEND] = before


def uncertain(name="reader", **fields):
    """A digest whose hand-over began at NOW and had no answer."""
    paper = Paper.objects.first() or make_paper(1)
    values = {"state": "uncertain", "reason": "connection lost", "handed_at": NOW, "attempt": 1, **fields}
    return make_digest(make_reader(name), [paper], **values)


def state_of(digest):
    digest.refresh_from_db()
    return digest.state


def resolved(digest, now=LATER):
    outcomes.resolve_uncertain(now)
    return state_of(digest)


@pytest.mark.parametrize(
    ("policy", "keeps", "state"),
    [
        ("auto", True, "planned"),
        ("auto", False, "uncertain"),
        ("auto", None, "uncertain"),
        ("resend", False, "planned"),
        ("resend", None, "planned"),
        ("hold", True, "uncertain"),
    ],
)
def test_the_policy_or_the_transport_says_whether_it_is_sent_again(transport, policy, keeps, state):
    transport(policy, keeps_message_id=keeps)
    digest = uncertain()
    assert resolved(digest) == state


def test_what_is_sent_again_leaves_once_with_the_same_message_id_and_adds_up(transport):
    transport("resend")
    make_edition([make_paper(1)])
    digest = uncertain()
    assert outcomes.resolve_uncertain(LATER) == {"sent again": 1}
    assert not outcomes.resolve_uncertain(LATER)
    digest.refresh_from_db()
    assert (digest.free_at, digest.claimed_by, digest.attempt) == (None, "", 1)
    delivery.send_digests(lambda: LATER, "worker")
    [message] = mail.outbox
    assert message.extra_headers["Message-ID"].startswith(f"<digest-{digest.pk}.")
    total = outcomes.sum_of(TODAY)
    assert (total.adds_up, total["accepted"], total["uncertain"]) == (True, 1, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"in_batch": True},
        {"attempt": ledger.MAX_ATTEMPTS},
        {"due_at": NOW - 13 * HOUR},
        {"folded": True},
        {"subscriber": None},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_is_never_sent_again_by_itself_stays_uncertain(transport, settings, fields):
    settings.LATE_AFTER_HOURS = 12
    transport("resend")
    digest = uncertain()
    Digest.objects.update(**fields)
    assert resolved(digest) == "uncertain"


def test_while_an_edition_is_held_its_uncertain_mails_wait(transport):
    transport("resend")
    edition = make_edition([make_paper(1)])
    digest = uncertain()
    approval.hold(edition, "a fault", by="editor")
    assert resolved(digest) == "uncertain"
    approval.release(edition)
    assert resolved(digest) == "planned"


def test_where_the_provider_reports_its_word_is_waited_for(transport):
    transport("resend", reports=Reports.SIGNED)
    digest = uncertain()
    assert resolved(digest, NOW + 9 * MINUTE) == "uncertain"
    assert resolved(digest, NOW + 10 * MINUTE) == "planned"


def test_a_report_settles_it_before_any_policy_does(transport):
    transport("resend")
    digest = uncertain()
    MailEvent.objects.create(
        esp="Mailgun", dedupe_key="1", kind="delivered", mail=f"digest-{digest.pk}", at=NOW, received_at=NOW
    )
    assert outcomes.resolve_uncertain(LATER) == {"accepted": 1, "delivered": 1}
    assert state_of(digest) == "accepted"


def test_a_key_lets_it_be_sent_again_within_half_its_lifetime_also_where_the_policy_holds(transport):
    transport("hold", reports=Reports.SIGNED, idempotency_key=Key("Idempotency-Key", timedelta(minutes=30)))
    early, late = uncertain("early", handed_at=NOW), uncertain("late", handed_at=NOW - 4 * MINUTE)
    batch = uncertain("batch", in_batch=True)
    outcomes.resolve_uncertain(LATER)
    assert [state_of(digest) for digest in (early, late, batch)] == ["planned", "uncertain", "uncertain"]


@pytest.mark.parametrize("fields", [{}, {"in_batch": True}, {"attempt": 5}], ids=["held", "batch", "five tries"])
def test_after_a_day_nobody_will_know(transport, fields):
    transport("hold")
    digest = uncertain(**fields)
    assert resolved(digest, NOW + 24 * HOUR - MINUTE) == "uncertain"
    assert outcomes.resolve_uncertain(NOW + 24 * HOUR) == {"outcome unknown": 1}
    assert (state_of(digest), digest.reason) == ("failed", "outcome unknown")
    assert not outcomes.resolve_uncertain(NOW + 48 * HOUR)


def test_a_row_from_before_hand_overs_were_dated_goes_by_its_planning(transport):
    transport("hold")
    old = uncertain("old", handed_at=None, planned_at=NOW - 25 * HOUR)
    young = uncertain("young", handed_at=None)
    outcomes.resolve_uncertain(NOW)
    assert (state_of(old), state_of(young)) == ("failed", "uncertain")


def test_the_unknown_have_a_line_of_their_own_and_are_no_failures():
    uncertain("a", state="failed", reason="outcome unknown")
    uncertain("b", state="failed", reason="poison")
    total = outcomes.sum_of(TODAY)
    assert (total["failed"], total["outcome unknown"], total.planned, total.adds_up) == (1, 1, 2, True)
    assert total.reasons == {("failed", "poison"): 1}


def test_the_reader_is_told_that_it_may_be_there(client):
    digest = uncertain(state="failed", reason="outcome unknown")
    [today] = history(digest.subscriber, TODAY)[:1]
    assert today.happened == HAPPENED[Digest.State.UNCERTAIN]
    assert "outcome" not in str(today.reason)


# --- By hand ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(client, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: LATER)

    def log_in(*permissions):
        user = User.objects.create_user("ana", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_digest", *permissions]))
        client.force_login(user)
        return client

    return log_in


def press(client, action, *digests):
    path = reverse("admin:digest_digest_changelist")
    chosen = {"action": action, "_selected_action": [digest.pk for digest in digests]}
    return client.post(path, chosen, follow=True)


def test_an_editor_says_that_it_arrived(staff):
    digest, ended = uncertain(), uncertain("ended", state="rejected")
    page = press(staff("resolve_digest"), "it_arrived", digest, ended)
    assert (state_of(digest), digest.accepted_at) == ("accepted", NOW)
    assert state_of(ended) == "rejected"
    assert f"Digest {ended.pk} is not uncertain" in page.content.decode()
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.user.username) == (str(digest.pk), "ana")
    assert "arrived" in entry.change_message


def test_an_editor_has_it_sent_again_also_of_a_batch_and_after_five_tries(staff):
    digest = uncertain(in_batch=True, attempt=ledger.MAX_ATTEMPTS)
    make_edition([Paper.objects.get()])
    press(staff("resolve_digest"), "it_did_not_arrive", digest)
    assert (state_of(digest), digest.free_at) == ("planned", None)
    assert LogEntry.objects.get().object_id == str(digest.pk)
    delivery.send_digests(lambda: LATER, "worker")
    assert state_of(digest) == "accepted"


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"due_at": NOW - 13 * HOUR}, "too late"), ({"state": "accepted"}, "not uncertain"), ({"folded": True}, "not")],
)
def test_what_cannot_be_sent_again_is_refused_with_the_reason(staff, settings, fields, why):
    settings.LATE_AFTER_HOURS = 12
    digest = uncertain(**fields)
    before = digest.state
    page = press(staff("resolve_digest"), "it_did_not_arrive", digest)
    assert state_of(digest) == before
    assert why in page.content.decode()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["it_arrived", "it_did_not_arrive"])
def test_without_the_permission_nobody_settles_anything(staff, action):
    digest = uncertain()
    client = staff()
    assert "It arrived" not in client.get(reverse("admin:digest_digest_changelist")).content.decode()
    press(client, action, digest)
    assert state_of(digest) == "uncertain"


def test_a_get_settles_nothing(staff):
    digest = uncertain()
    chosen = {"action": "it_arrived", "_selected_action": digest.pk}
    staff("resolve_digest").get(reverse("admin:digest_digest_changelist"), chosen)
    assert state_of(digest) == "uncertain"


def test_the_digests_page_shows_what_is_known(staff):
    digest = uncertain(delivered_at=NOW + MINUTE, bounced_at=NOW, complained_at=NOW)
    page = staff().get(reverse("admin:digest_digest_change", args=[digest.pk])).content.decode()
    for name in ("Handed at", "Delivered at", "Bounced at", "Complained at"):
        assert name in page


def test_sending_by_hand_settles_what_is_uncertain_as_a_worker_does(settings, mailoutbox, capsys):
    settings.UNCERTAIN_MAILS = "resend"
    uncertain("again")
    call_command("send_digests", now=NOW + HOUR)
    assert len(mailoutbox) == 1
    settings.UNCERTAIN_MAILS = "hold"
    uncertain("held")
    call_command("send_digests", now=NOW + HOUR)
    assert len(mailoutbox) == 1
    assert "1 digests are uncertain" in capsys.readouterr().out
