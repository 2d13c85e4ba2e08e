"""MailEvents -> Suppressions: which event stops an address, in any order and any number of times."""

import itertools
from datetime import timedelta

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import letters, lifecycle, suppression
from subscriptions.models import MailEvent, SignupRequest, Subscriber, Suppression
from subscriptions.tasks import read_mail_events, tidy
from tests.conftest import NOW, make_reader, origin

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOW + 30 * DAY
numbers = itertools.count()


def happened(reader, kind="bounced", reason="", at=NOW, *, esp="Postmark", detail="", mail="", **fields):
    """A stored event, as the receiver leaves it."""
    number = next(numbers)
    return MailEvent.objects.create(
        esp=esp,
        dedupe_key=f"{number:064}",
        kind=kind,
        reject_reason=reason,
        detail=detail,
        mail=mail or f"digest-{number}",
        email_hash=reader.email_hash,
        reader=reader.pk,
        at=at,
        received_at=at,
        **fields,
    )


def stops():
    """The suppressions in force."""
    return sorted(Suppression.objects.live(LATER).values_list("email_hash", "reason"))


def led_to(event):
    """What applying one event leads to, as one word."""
    suppression.apply(NOW)
    if reason := Suppression.objects.live(NOW).values_list("reason", flat=True).first():
        return reason
    return "left" if Subscriber.objects.get(pk=event.reader).state == "unsubscribed" else "nothing"


ALL_KINDS = [value for name, value in vars(EventType).items() if name.isupper()]
ALL_REASONS = ["", *[value for name, value in vars(RejectReason).items() if name.isupper()]]
AT_ONCE = {
    ("bounced", "invalid"): "bounce",
    ("bounced", "bounced"): "bounce",
    ("bounced", "unsubscribed"): "left",
    ("rejected", "invalid"): "bounce",
    ("rejected", "bounced"): "bounce",
    ("rejected", "spam"): "complaint",
    ("rejected", "unsubscribed"): "left",
    **{("complained", reason): "complaint" for reason in ALL_REASONS},
    **{("unsubscribed", reason): "left" for reason in ALL_REASONS},
}


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("reason", ALL_REASONS)
def test_each_kind_and_reason_leads_to_one_thing(kind, reason):
    assert led_to(happened(make_reader(), kind, reason, esp="Pigeon Post")) == AT_ONCE.get((kind, reason), "nothing")


@pytest.mark.parametrize(
    ("kind", "reason", "soft"),
    [
        *[("bounced", reason, True) for reason in ("", "timed_out", "blocked", "spam", "other")],
        *[("failed", reason, True) for reason in ("", "other")],
        *[("rejected", reason, True) for reason in ("blocked", "timed_out")],
        *[("rejected", reason, False) for reason in ("", "other")],
        *[(kind, "", False) for kind in ("deferred", "delivered", "opened", "clicked", "autoresponded", "unknown")],
    ],
)
def test_three_soft_bounces_in_a_fortnight_stop_the_address(kind, reason, soft):
    reader = make_reader()
    for day in range(3):
        happened(reader, kind, reason, NOW + day * DAY)
    suppression.apply(NOW + 3 * DAY)
    assert [stop.detail for stop in Suppression.objects.all()] == ["3 soft bounces in 14 d"] * soft


def test_two_soft_bounces_or_three_of_one_mail_or_over_a_month_do_not():
    two, same, slow = make_reader("two"), make_reader("same"), make_reader("slow")
    for number in range(2):
        happened(two, reason="other", at=NOW + number * DAY)
    for number in range(5):
        happened(same, reason="other", at=NOW + number * HOUR, mail="digest-1")
        happened(slow, reason="other", at=NOW + number * 8 * DAY)
    suppression.apply(LATER)
    assert stops() == []


def test_any_window_of_several_is_enough_and_its_ends_count(settings):
    settings.SOFT_BOUNCES = ((DAY, 2), (10 * DAY, 4))
    fast, slow, spared = make_reader("fast"), make_reader("slow"), make_reader("spared")
    for number in range(2):
        happened(fast, reason="other", at=NOW + number * DAY)
        happened(spared, reason="other", at=NOW + number * (DAY + timedelta(seconds=1)))
    for number in range(4):
        happened(slow, reason="other", at=NOW + number * 10 * DAY / 3)
    suppression.apply(LATER)
    assert {(stop.email_hash, stop.detail) for stop in Suppression.objects.all()} == {
        (fast.email_hash, "2 soft bounces in 1 d"),
        (slow.email_hash, "4 soft bounces in 10 d"),
    }


@pytest.mark.parametrize(
    ("esp", "kind", "reason", "detail", "outcome"),
    [
        ("Amazon SES", "bounced", "bounced", "bounceType=Permanent; bounceSubType=General; 550 5.1.1", "hard bounce"),
        ("Amazon SES", "bounced", "bounced", "bounceType=Transient; bounceSubType=MailboxFull", "soft bounce"),
        ("Amazon SES", "bounced", "bounced", "bounceType=Undetermined; bounceSubType=Undetermined", "soft bounce"),
        ("Amazon SES", "bounced", "bounced", "bounceType=Transient; bounceSubType=General", "nothing"),
        ("Amazon SES", "bounced", "bounced", "bounceType=Transient; bounceSubType=General; 550 5.4.4", "soft bounce"),
        ("Amazon SES", "complained", "spam", "complaintFeedbackType=abuse", "complaint"),
        ("Amazon SES", "complained", "spam", "complaintFeedbackType=not-spam", "nothing"),
        ("Brevo", "bounced", "bounced", "event=hard_bounce", "hard bounce"),
        ("Brevo", "bounced", "bounced", "event=soft_bounce; 452 4.2.2", "soft bounce"),
        ("MailerSend", "bounced", "bounced", "type=hard_bounced", "hard bounce"),
        ("MailerSend", "bounced", "bounced", "type=soft_bounced", "soft bounce"),
        ("Mailgun", "bounced", "bounced", "severity=permanent; reason=bounce; 550 5.1.1", "hard bounce"),
        ("Mailgun", "bounced", "bounced", "severity=permanent; reason=bounce; 550 5.7.1", "soft bounce"),
        ("Mailgun", "bounced", "other", "severity=permanent; reason=suppress-complaint", "complaint"),
        ("Mailgun", "bounced", "other", "severity=permanent; reason=suppress-unsubscribe", "unsubscribed"),
        ("Mailgun", "bounced", "other", "severity=permanent; reason=generic; 550 5.1.1", "hard bounce"),
        ("Mailjet", "bounced", "bounced", "hard_bounce=False; error=quota exceeded", "soft bounce"),
        ("Mailjet", "bounced", "bounced", "hard_bounce=True; error=user unknown", "hard bounce"),
        ("Mailtrap", "bounced", "bounced", "event=bounce", "hard bounce"),
        ("Mandrill", "bounced", "", "event=hard_bounce; bounce_description=bad_mailbox", "hard bounce"),
        ("Mandrill", "bounced", "", "event=soft_bounce; bounce_description=mailbox_full", "soft bounce"),
        ("Mandrill", "rejected", "", "event=reject; reason=spam", "complaint"),
        ("Mandrill", "rejected", "", "event=reject; reason=invalid-sender", "nothing"),
        ("Postal", "failed", "", "status=HardFail; 550 5.1.1", "hard bounce"),
        ("Postal", "failed", "", "status=HardFail; 554 5.7.1", "soft bounce"),
        ("Postmark", "bounced", "bounced", "Type=HardBounce; 550 5.1.1", "hard bounce"),
        ("Postmark", "bounced", "bounced", "Type=HardBounce; 550 5.0.0", "hard bounce"),
        ("Postmark", "bounced", "bounced", "Type=SoftBounce", "soft bounce"),
        ("Postmark", "complained", "spam", "Type=SpamNotification", "soft bounce"),
        ("Postmark", "complained", "spam", "Type=SpamComplaint", "complaint"),
        ("SendGrid", "complained", "", "type=bounce", "complaint"),
        ("SparkPost", "complained", "", "fbtype=not-spam", "nothing"),
        ("Resend", "bounced", "other", "type=Permanent; subType=Suppressed", "hard bounce"),
        ("Resend", "bounced", "bounced", "message=a bounce message because the inbox was full.", "soft bounce"),
        ("Resend", "bounced", "bounced", "message=The provider sent a hard bounce message", "hard bounce"),
        ("SendGrid", "bounced", "", "type=bounce; status=5.1.1", "hard bounce"),
        ("SendGrid", "bounced", "", "type=bounce; status=5.7.1", "soft bounce"),
        ("SendGrid", "bounced", "", "type=blocked; status=5.7.1", "soft bounce"),
        ("SendGrid", "rejected", "other", "reason=Spam Reporting Address", "complaint"),
        ("SendGrid", "rejected", "other", "reason=Recipient List over Package Quota", "nothing"),
        ("SparkPost", "bounced", "invalid", "bounce_class=10", "hard bounce"),
        ("SparkPost", "bounced", "bounced", "bounce_class=30", "hard bounce"),
        *[("SparkPost", "bounced", "bounced", f"bounce_class={n}", "soft bounce") for n in (20, 21, 22, 23, 40, 70)],
        ("Unisender Go", "bounced", "bounced", "delivery_status=err_user_unknown", "hard bounce"),
        ("Unisender Go", "bounced", "bounced", "delivery_status=err_mailbox_full", "soft bounce"),
        ("smtp", "rejected", "", "550 5.1.1", "hard bounce"),
        ("smtp", "rejected", "", "553", "hard bounce"),
        ("smtp", "rejected", "", "554", "soft bounce"),
        ("smtp", "rejected", "blocked", "550", "soft bounce"),
        ("smtp", "rejected", "", "550 5.4.1", "soft bounce"),
        ("smtp", "rejected", "", "550 5.1.8", "soft bounce"),
    ],
)
def test_a_providers_own_word_is_heeded(esp, kind, reason, detail, outcome):
    event = MailEvent(esp=esp, kind=kind, reject_reason=reason, detail=detail)
    assert suppression.verdict(event).value == outcome


def test_a_hard_bounce_stops_the_address_at_once_with_a_readable_reason():
    reader = make_reader()
    happened(reader, reason="bounced", detail="Type=HardBounce; 550 5.1.1")
    assert suppression.apply(NOW) == {"bounce": 1}
    stop = Suppression.objects.get()
    assert (stop.reason, stop.detail, stop.created_at) == ("bounce", "hard bounce 550 5.1.1 by postmark", NOW)
    assert reader not in Subscriber.objects.active(NOW)


def test_a_complaint_stops_the_address_for_ever_and_a_new_sign_up_gets_no_letter():
    reader = make_reader()
    happened(reader, "complained")
    suppression.apply(NOW)
    asked = letters.ask(SignupRequest.Kind.SIGN_UP, reader.email, LATER)
    request, letter = letters.letter_for(asked.pk, LATER)
    assert (request.outcome, letter) == ("suppressed", None)


def test_an_event_before_the_newest_lift_has_no_effect():
    reader = make_reader()
    for reason, kind in (("bounce", "bounced"), ("complaint", "complained")):
        Suppression.objects.create(email_hash=reader.email_hash, reason=reason, created_at=NOW, lifted_at=NOW + HOUR)
        for at in (NOW, NOW + HOUR):
            happened(reader, kind, "bounced", at)
    suppression.apply(LATER)
    assert stops() == []
    happened(reader, "bounced", "bounced", NOW + 2 * HOUR)
    happened(reader, "complained", "", NOW + 2 * HOUR)
    suppression.apply(LATER)
    assert len(stops()) == 2


def test_a_bounce_before_the_confirmation_has_no_effect_but_a_complaint_has():
    reader = make_reader()
    happened(reader, reason="bounced", at=reader.confirmed_at)
    suppression.apply(NOW)
    assert stops() == []
    happened(reader, "complained", at=reader.confirmed_at)
    suppression.apply(NOW)
    assert stops() == [(reader.email_hash, "complaint")]


def test_soft_bounces_before_a_confirmation_are_forgiven():
    reader = make_reader()
    for hours in (2, 1, 0):
        happened(reader, reason="other", at=reader.confirmed_at - hours * HOUR)
    happened(reader, reason="other", at=reader.confirmed_at + HOUR)
    suppression.apply(NOW)
    assert stops() == []


def test_a_new_confirmation_lifts_the_bounce_and_the_old_event_does_not_bring_it_back():
    reader = make_reader()
    event = happened(reader, reason="bounced", at=NOW)
    suppression.apply(NOW)
    lifecycle.unsubscribe(reader, NOW + HOUR, origin())
    asked = letters.ask(SignupRequest.Kind.SIGN_UP, reader.email, NOW + 2 * HOUR)
    request, _ = letters.letter_for(asked.pk, NOW + 2 * HOUR)
    lifecycle.confirm(request, NOW + 3 * HOUR, origin())
    MailEvent.objects.filter(pk=event.pk).update(applied_at=None)
    assert suppression.apply(LATER) == {"stale": 1}
    assert reader in Subscriber.objects.active(NOW + 4 * HOUR)


def test_an_unsubscribe_at_the_provider_is_one_here_with_its_time_and_origin():
    reader = make_reader()
    happened(reader, "unsubscribed", at=NOW - HOUR)
    suppression.apply(NOW)
    reader.refresh_from_db()
    assert (reader.state, reader.left_at) == ("unsubscribed", NOW - HOUR)
    assert [(e.kind, e.where) for e in reader.consent_events.all()] == [("withdrawn", "provider: Postmark")]
    assert stops() == []


def test_an_unsubscribe_before_the_confirmation_or_an_undo_is_stale():
    back, undone = make_reader("back"), make_reader("undone")
    happened(back, "unsubscribed", at=back.confirmed_at)
    lifecycle.unsubscribe(undone, NOW, origin(lifecycle.BY_BUTTON))
    assert lifecycle.undo(undone, NOW + HOUR / 2, origin())
    happened(undone, "unsubscribed", at=NOW + HOUR / 4)
    assert suppression.apply(LATER) == {"stale": 2}
    assert set(Subscriber.objects.values_list("state", flat=True)) == {"active"}


def test_an_event_of_an_erased_reader_still_stops_the_address():
    reader = make_reader()
    happened(reader, "complained")
    happened(reader, "unsubscribed")
    Subscriber.objects.filter(pk=reader.pk).delete()
    suppression.apply(NOW)
    assert stops() == [(reader.email_hash, "complaint")]


def test_a_stop_for_a_while_becomes_one_without_end():
    reader = make_reader()
    Suppression.objects.create(email_hash=reader.email_hash, reason="bounce", created_at=NOW, ends_at=NOW + HOUR)
    happened(reader, reason="bounced", at=NOW)
    suppression.apply(NOW)
    assert stops() == [(reader.email_hash, "bounce")]


def test_one_poisoned_event_does_not_stop_the_others(settings, caplog):
    settings.SOFT_BOUNCES = (("no window", 3),)
    poisoned, other = make_reader("poisoned"), make_reader("other")
    happened(poisoned, reason="other")
    happened(other, reason="bounced")
    assert suppression.apply(NOW) == {"failed": 1, "bounce": 1}
    assert stops() == [(other.email_hash, "bounce")]
    assert not MailEvent.objects.filter(applied_at=None).exists()
    assert "TypeError" in caplog.text


def test_more_events_than_a_chunk_are_all_read(django_assert_max_num_queries):
    reader = make_reader()
    MailEvent.objects.bulk_create(
        MailEvent(
            esp="Postmark", dedupe_key=str(n), kind="opened", email_hash=reader.email_hash, at=NOW, received_at=NOW
        )
        for n in range(1201)
    )
    happened(reader, reason="bounced")
    with django_assert_max_num_queries(30):
        assert suppression.apply(NOW) == {"nothing": 1201, "bounce": 1}


EVENTS = [
    ("a", "bounced", "bounced", 1),
    ("a", "complained", "", 2),
    ("a", "bounced", "bounced", 9),
    ("b", "bounced", "other", 1),
    ("b", "bounced", "other", 5),
    ("b", "failed", "", 8),
    ("b", "delivered", "", 9),
    ("c", "bounced", "other", 1),
    ("c", "bounced", "other", 3),
    ("c", "bounced", "timed_out", 20),
    ("d", "bounced", "bounced", 3),
    ("d", "rejected", "spam", 3),
    ("e", "bounced", "bounced", 7),
    ("e", "unsubscribed", "", 5),
    ("f", "unsubscribed", "", 2),
    ("f", "rejected", "unsubscribed", 3),
]


@given(
    order=st.permutations(EVENTS),
    again=st.lists(st.sampled_from(EVENTS), max_size=8),
    cuts=st.lists(st.integers(0, len(EVENTS)), max_size=4),
    reread=st.booleans(),
)
def test_any_order_repetition_and_interleaving_gives_the_same_stops(db, order, again, cuts, reread):
    for model in (MailEvent, Suppression, Subscriber):
        model.objects.all().delete()
    readers = {name: make_reader(name) for name in "abcdef"}
    Suppression.objects.create(
        email_hash=readers["d"].email_hash, reason="bounce", created_at=NOW, lifted_at=NOW + 4 * DAY
    )
    for place, (name, kind, reason, day) in enumerate([*order, *again]):
        event = AnymailTrackingEvent(
            event_type=kind,
            reject_reason=reason,
            recipient=readers[name].email,
            timestamp=NOW + day * DAY,
            message_id=f"{name}{kind}{reason}{day}",
        )
        tracking.send(sender=object, event=event, esp_name="Pigeon Post")
        if place in cuts:
            suppression.apply(LATER)
    suppression.apply(LATER)
    if reread:  # a second worker that had the same rows in its hands
        MailEvent.objects.update(applied_at=None)
        suppression.apply(LATER)
    names = {reader.email_hash: name for name, reader in readers.items()}
    assert sorted((names[hashed], reason) for hashed, reason in stops()) == [
        ("a", "bounce"),
        ("a", "complaint"),
        ("b", "bounce"),
        ("d", "complaint"),
        ("e", "bounce"),
    ]
    assert MailEvent.objects.count() == len(EVENTS)
    left = Subscriber.objects.filter(state="unsubscribed").values_list("email", flat=True)
    assert sorted(left) == ["e@example.org", "f@example.org"]


def test_two_workers_with_the_same_events_make_one_row():
    reader = make_reader()
    happened(reader, reason="bounced")
    happened(reader, "complained")
    other_worker_ran: list[bool] = []

    def between(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "applied_at" in sql and not other_worker_ran:
            other_worker_ran.append(True)
            suppression.apply(NOW)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(between):
        suppression.apply(NOW)
    assert other_worker_ran
    assert len(stops()) == Suppression.objects.count() == 2


def test_the_task_reads_what_came():
    reader = make_reader()
    happened(reader, "complained")
    read_mail_events()
    assert stops() == [(reader.email_hash, "complaint")]


def test_payloads_go_after_seven_days_and_rows_after_ninety(monkeypatch):
    monkeypatch.setattr(suppression, "SWEPT", 3)
    reader = make_reader()
    for day in (0, 6, 7, 8, 9, 10, 11, 40, 89, 90, 91, 200):
        happened(reader, "opened", at=LATER - day * DAY, payload={"a": 1})
    assert suppression.sweep(LATER) == 3 + 7
    assert MailEvent.objects.count() == 9
    assert sorted((LATER - event.received_at).days for event in MailEvent.objects.exclude(payload={})) == [0, 6]
    assert suppression.sweep(LATER) == 0


def test_tidying_sweeps_events():
    happened(make_reader(), "opened", at=NOW - 400 * DAY)
    tidy()
    assert not MailEvent.objects.exists()
