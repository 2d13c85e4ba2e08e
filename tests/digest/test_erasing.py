import json
from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse

from digest import delivery, ledger, outcomes, sent
from digest.models import DayTotal, Digest, Sent
from digest.sent import readers_of
from subscriptions import lifecycle, links, privacy
from subscriptions.models import Subscriber
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader, origin

pytestmark = pytest.mark.django_db
CLOSED = TODAY - timedelta(days=9)


def erase(reader, now=NOW):
    return privacy.erase(reader.pk, now)


def added_up(day):
    total = outcomes.sum_of(day)
    assert total.adds_up
    return total


@pytest.fixture
def reader(robotics):
    return make_reader("leaving", robotics)


@pytest.fixture
def papers():
    made = [make_paper(n, f"Paper number {n}") for n in (1, 2)]
    make_edition(made)
    return made


def test_the_sums_are_the_same_before_while_a_mail_is_on_the_wire_and_after(reader, papers):
    others = [make_reader(f"r{n}") for n in range(2)]
    for day, states in ((TODAY, ("accepted", "planned")), (CLOSED, ("accepted", "rejected"))):
        for other, state in zip(others, states, strict=True):
            make_digest(other, papers, state=state, day=day)
    make_digest(reader, papers, state="accepted", day=CLOSED)
    outcomes.close_day(CLOSED, NOW)
    digest = make_digest(reader, papers, free_at=None)
    ids = ledger.claim(5, "worker", NOW)
    digest.refresh_from_db()
    assert digest.pk in ids
    assert ledger.advance([], [digest], NOW)
    before, closed = added_up(TODAY), added_up(CLOSED)
    with pytest.raises(privacy.NotYet):
        erase(reader)
    assert (added_up(TODAY), added_up(CLOSED)) == (before, closed)
    digest.refresh_from_db()
    assert (digest.subscriber, digest.state, len(digest.picks)) == (reader, "sending", 2)

    ledger.move(Digest.objects.filter(pk=digest.pk), "sending", "accepted", accepted_at=NOW, provider_id="x-1")
    before = added_up(TODAY)
    assert erase(reader)
    assert (added_up(TODAY), added_up(CLOSED)) == (before, closed)
    assert DayTotal.objects.count() == 1


def test_what_was_open_is_cancelled_as_erased_and_counted_so(reader, papers):
    make_digest(reader, papers)
    make_digest(reader, papers, day=TODAY + timedelta(days=1))
    before = added_up(TODAY)
    erase(reader)
    after = added_up(TODAY)
    assert (before.planned, before.to_go) == (after.planned, after["cancelled"]) == (1, 1)
    assert after.reasons == {("cancelled", "erased"): 1}
    assert added_up(TODAY + timedelta(days=1))["cancelled"] == 1


def test_the_rows_stay_without_anything_of_the_reader(reader, papers):
    kept = {"cadence": "weekly", "reason": "the recipient was refused (550)"}
    gone = {"provider_id": "abc", "claimed_by": "worker/1"}
    news = [{"paper": papers[0].pk, "what": "code"}]
    make_digest(reader, papers, state="rejected", follow_ups=news, **kept, **gone)
    erase(reader)
    row = Digest.objects.get()
    assert (row.day, row.state, row.cadence, row.reason) == (TODAY, "rejected", *kept.values())
    assert (row.subscriber_id, row.picks, row.follow_ups, row.provider_id, row.claimed_by) == (None, [], [], "", "")


def test_a_claimed_digest_in_a_workers_hands_is_not_sent(reader, papers):
    make_digest(reader, papers)
    make_digest(make_reader("next"), papers)

    def erased_after_the_claim():
        if Digest.objects.filter(subscriber=reader, state="claimed").exists():
            assert erase(reader)
        return False

    ended = delivery.send_digests(lambda: NOW, "worker", stop=erased_after_the_claim)
    assert dict(ended) == {"cancelled": 1, "accepted": 1}
    assert [message.to for message in mail.outbox] == [["next@example.org"]]
    assert added_up(TODAY).reasons == {("cancelled", "erased"): 1}


def test_a_mail_whose_worker_was_killed_ends_as_uncertain_and_does_not_keep_the_reader(reader, papers):
    make_digest(reader, papers)
    ledger.claim(1, "killed", NOW)
    assert ledger.advance([], [Digest.objects.get()], NOW)
    later = NOW + timedelta(hours=1)
    assert erase(reader, later)
    row = Digest.objects.get()
    assert (row.state, row.subscriber) == ("uncertain", None)
    delivery.send_digests(lambda: later, "worker")
    assert not mail.outbox


def test_a_day_closes_after_a_reader_of_it_was_erased(reader, papers):
    make_digest(reader, papers, state="accepted", day=CLOSED)
    make_digest(make_reader("stays"), papers, state="uncertain", day=CLOSED)
    erase(reader)
    before = added_up(CLOSED)
    outcomes.close_day(CLOSED, NOW)
    assert added_up(CLOSED) == before
    assert [set(readers_of(row)) for row in Sent.objects.all()] == [{Subscriber.objects.get().pk}] * 2


def test_the_reader_leaves_the_bitmaps_and_others_stay(reader, papers):
    other = make_reader("stays")
    sent.add({papers[0].pk: [reader.pk, other.pk], papers[1].pk: [reader.pk]})
    erase(reader)
    assert {row.pk: set(readers_of(row)) for row in Sent.objects.all()} == {
        papers[0].pk: {other.pk},
        papers[1].pk: set(),
    }


def test_erasing_twice_is_harmless_and_the_unsubscribe_link_still_answers(client, reader, papers):
    path, number = links.unsubscribe_path(reader, NOW), reader.pk
    make_digest(reader, papers)
    assert lifecycle.ask_erase(reader, NOW, origin())
    before = list(Digest.objects.values())
    assert not privacy.erase(number, NOW)
    assert privacy.erase_waiting(NOW) == 0
    assert list(Digest.objects.values()) == before
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 200


def test_a_wish_to_be_erased_waits_for_the_mail_on_the_wire_and_then_comes_true(reader, papers):
    make_digest(reader, papers)
    ledger.claim(1, "worker", NOW)
    digest = Digest.objects.get()
    ledger.advance([], [digest], NOW)
    assert not lifecycle.ask_erase(reader, NOW, origin())
    assert privacy.erase_waiting(NOW) == 0
    ledger.move(Digest.objects.all(), "sending", "accepted", accepted_at=NOW)
    assert privacy.erase_waiting(NOW) == 1
    assert not Subscriber.objects.exists()


def test_a_refused_erasing_leaves_no_other_trace(reader, papers):
    make_digest(reader, papers, state="sending", free_at=NOW + timedelta(minutes=1))
    make_digest(reader, papers, day=TODAY + timedelta(days=1))
    sent.add({papers[0].pk: [reader.pk]})
    before = list(Digest.objects.order_by("pk").values())
    with pytest.raises(privacy.NotYet), transaction.atomic():
        erase(reader)
    assert list(Digest.objects.order_by("pk").values()) == before
    assert reader.pk in readers_of(Sent.objects.get())


def test_the_export_has_every_digest_with_its_papers_and_reasons_and_what_closed_days_sent(reader, papers, robotics):
    digest = make_digest(reader, papers, state="accepted", accepted_at=NOW)
    digest.picks[0]["why"] = [{"topic": robotics.pk, "terms": ["robot"], "category": ""}, {"phrase": "c++"}]
    digest.follow_ups = [{"paper": make_paper(3, "Paper number 3").pk, "what": "code"}]
    digest.save()
    make_digest(make_reader("other"), papers)
    sent.add({papers[1].pk: [reader.pk]})
    own = json.loads(json.dumps(privacy.export(reader, NOW)))["digests"]
    assert own == {
        "mails": [
            {
                "day": "2026-03-20",
                "cadence": "daily",
                "state": "accepted",
                "reason": "",
                "due_at": "2026-03-20T07:00:00+00:00",
                "accepted_at": "2026-03-20T07:00:00+00:00",
                "papers": [
                    {
                        "title": "Paper number 1",
                        "key": "arxiv:2603.00001",
                        "why": [{"topic": "Robotics", "terms": ["robot"], "category": ""}, {"phrase": "c++"}],
                    },
                    {"title": "Paper number 2", "key": "arxiv:2603.00002", "why": []},
                ],
                "news_of_earlier_papers": [{"title": "Paper number 3", "key": "arxiv:2603.00003", "what": "code"}],
            }
        ],
        "papers_sent_on_closed_days": [{"title": "Paper number 2", "key": "arxiv:2603.00002"}],
        "said_of_papers": [],
        "saved_papers": [],
    }


def test_readers_own_pages_and_the_editors_list_live_on_without_the_reader(admin_client, reader, papers):
    make_digest(reader, papers, state="accepted")
    erase(reader)
    assert admin_client.get(reverse("admin:digest_digest_changelist")).status_code == 200
    row = Digest.objects.get()
    assert admin_client.get(reverse("admin:digest_digest_change", args=[row.pk])).status_code == 200
    assert admin_client.get(reverse("admin:digest_digest_preview", args=[row.pk])).status_code == 404
