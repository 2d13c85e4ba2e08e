import threading
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from digest import delivery, follow_ups, merging, outcomes, papers, planning, retention, sent
from digest.models import Digest, Edition, FollowUp, Paper
from digest.sources import SOURCES
from subscriptions import privacy
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader, make_record

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MAIL_AT, NEWS_AT = NOW + timedelta(minutes=10), NOW + timedelta(hours=2)
CODE = "https://example.org/code"


def reader_called(name):
    """A reader whom planning leaves alone."""
    return make_reader(name, due=NOW + timedelta(days=400))


@pytest.fixture
def reader():
    return reader_called("reader")


@pytest.fixture
def paper():
    """In an edition that was approved at NOW."""
    paper = make_paper(1)
    make_edition([paper])
    return paper


def another(number, day=TODAY):
    return make_paper(number, f"Something else, part {number}", day=day)


def news_for(reader, at):
    return follow_ups.News.read(at).for_readers([reader.pk]).get(reader.pk, [])


def mail_to(reader, chosen, at=MAIL_AT, state="accepted", **fields):
    """The reader's digest that left at this time, with the news that is due then; what it tells."""
    news = news_for(reader, at)
    times = {"handed_at": at, "accepted_at": at if state == "accepted" else None}
    make_digest(reader, chosen, state, at.date(), follow_ups=news, **times, **fields)
    return news


def release(paper, at=NEWS_AT):
    """A source says where the code is."""
    Paper.objects.filter(pk=paper.pk).update(code_url=CODE, code_seen_at=at)
    return follow_ups.notice(at)


def withdraw(paper, at=NEWS_AT):
    Paper.objects.filter(pk=paper.pk).update(withdrawn_at=at)
    return follow_ups.notice(at)


def close(day):
    outcomes.close_day(day, outcomes.closes_at(day))


def code_of(paper):
    return {"paper": paper.pk, "what": "code"}


def withdrawal_of(paper):
    return {"paper": paper.pk, "what": "withdrawn"}


@pytest.mark.parametrize(("happen", "what"), [(release, "code"), (withdraw, "withdrawn")])
@pytest.mark.parametrize("closed", [False, True])
def test_who_has_the_paper_is_told_by_the_next_mail_and_never_again(reader, paper, happen, what, closed):
    mail_to(reader, [paper])
    assert happen(paper) == 1
    told = [mail_to(reader, [another(10 + n)], MAIL_AT + n * DAY) for n in (1, 2, 3)]
    assert told == [[{"paper": paper.pk, "what": what}], [], []]
    if closed:
        for n in range(4):
            close(TODAY + n * DAY)
            assert news_for(reader, MAIL_AT + (4 + n) * DAY) == []
    assert follow_ups.notice(NEWS_AT + DAY) == 0


def test_a_paper_of_a_closed_day_has_its_readers_in_the_bitmap(reader, paper):
    mail_to(reader, [paper])
    close(TODAY)
    release(paper, NEWS_AT + 5 * DAY)
    assert news_for(reader, MAIL_AT + 6 * DAY) == [code_of(paper)]


def test_a_weekly_reader_is_told_by_the_weekly_mail_and_once(reader, paper):
    mail_to(reader, [paper], cadence="weekly")
    release(paper)
    for n in range(4):
        if n != 2:
            Digest.objects.filter(day=TODAY + n * DAY).update(folded=True)
    told = [mail_to(reader, [another(10 + n)], MAIL_AT + 7 * n * DAY, cadence="weekly") for n in (1, 2, 3)]
    assert told == [[code_of(paper)], [], []]


def test_a_planner_that_read_the_news_before_a_day_was_closed_does_not_tell_it_again(reader, paper):
    mail_to(reader, [paper])
    release(paper)
    mail_to(reader, [another(2)], MAIL_AT + DAY)
    read_before = follow_ups.News.read(MAIL_AT + 4 * DAY)
    close(TODAY), close(TODAY + DAY)
    assert read_before.for_readers([reader.pk]) == {}


@pytest.mark.parametrize("state", [*Digest.OPEN, "accepted"])
def test_a_mail_that_left_after_the_news_or_has_not_left_says_it_itself(reader, paper, state):
    mail_to(reader, [paper], NEWS_AT + timedelta(minutes=1), state)
    Digest.objects.filter(state__in=Digest.OPEN).update(handed_at=None)
    release(paper)
    Digest.objects.update(state="accepted", handed_at=NEWS_AT + timedelta(minutes=2))
    assert news_for(reader, MAIL_AT + DAY) == []
    close(TODAY)
    assert follow_ups.notice(NEWS_AT + 2 * DAY) == 0, "the bitmap does not say when"
    assert news_for(reader, MAIL_AT + 3 * DAY) == []


def test_of_two_pieces_of_news_a_reader_is_told_the_one_that_came_after_the_mail(reader):
    early, late = make_paper(1), make_paper(2)
    make_edition([early, late])
    mail_to(reader, [early, late], NEWS_AT + timedelta(hours=1))
    Paper.objects.filter(pk=early.pk).update(code_url=CODE, code_seen_at=NEWS_AT)
    assert release(late, NEWS_AT + timedelta(hours=2)) == 2
    assert news_for(reader, MAIL_AT + DAY) == [code_of(late)]


def test_who_is_sent_the_paper_after_its_news_is_not_told_of_it(reader, paper):
    assert release(paper) == 1, "nobody has it, which is remembered"
    mail_to(reader, [paper], NEWS_AT + timedelta(hours=1))
    close(TODAY)
    assert follow_ups.notice(NEWS_AT + 2 * DAY) == 0
    assert news_for(reader, MAIL_AT + 3 * DAY) == []


def test_a_paper_that_no_edition_had_before_is_no_news(reader):
    paper = make_paper(1)
    assert release(paper, NOW - DAY) == 0
    make_edition([paper])
    mail_to(reader, [paper])
    close(TODAY)
    assert follow_ups.notice(NOW + 1.9 * DAY) == 0
    assert not FollowUp.objects.exists()


def test_a_withdrawal_that_was_learnt_within_the_hour_is_told_to_those_mailed_meanwhile(reader, paper):
    late = reader_called("late")
    mail_to(reader, [paper], NEWS_AT + timedelta(minutes=20))
    mail_to(late, [paper], NEWS_AT + timedelta(hours=3))  # that mail left the paper out
    Paper.objects.update(withdrawn_at=NEWS_AT)
    follow_ups.notice(NEWS_AT + timedelta(hours=4))
    news = follow_ups.News.read(NOW + DAY).for_readers([reader.pk, late.pk])
    assert news == {reader.pk: [withdrawal_of(paper)]}


@pytest.mark.parametrize("state", ["rejected", "failed", "skipped", "cancelled", "suppressed"])
@pytest.mark.parametrize("closed", [False, True])
def test_what_a_mail_that_did_not_arrive_was_to_tell_is_told_by_the_next(reader, paper, state, closed):
    mail_to(reader, [paper])
    release(paper)
    mail_to(reader, [another(2)], MAIL_AT + DAY, state)
    if closed:
        close(TODAY), close(TODAY + DAY)
    assert news_for(reader, MAIL_AT + 2 * DAY) == [code_of(paper)]


@pytest.mark.parametrize("state", ["uncertain", "failed"])
def test_a_mail_that_perhaps_arrived_counts_as_sent_and_as_told(reader, paper, state):
    mail_to(reader, [paper], state=state, perhaps_taken=True)
    release(paper)
    assert mail_to(reader, [another(2)], MAIL_AT + DAY, state, perhaps_taken=True) == [code_of(paper)]
    assert news_for(reader, MAIL_AT + 2 * DAY) == []


@pytest.mark.parametrize("state", ["rejected", "skipped", "cancelled"])
def test_who_was_refused_the_paper_is_not_told_of_it(reader, paper, state):
    mail_to(reader, [paper], state=state)
    release(paper)
    assert news_for(reader, MAIL_AT + DAY) == []


def test_a_mail_whose_papers_are_all_withdrawn_is_not_sent_for_its_news_and_the_next_one_tells(
    reader, paper, mailoutbox
):
    mail_to(reader, [paper])
    release(paper)
    gone, there = another(2, TODAY + DAY), another(3, TODAY + 2 * DAY)
    edition = make_edition([gone], TODAY + DAY)
    make_edition([there], TODAY + 2 * DAY)
    late = NOW + DAY
    for day, chosen in ((late, gone), (late + DAY, there)):
        news = news_for(reader, day)
        assert news == [code_of(paper)]
        digest = make_digest(reader, [chosen], day=day.date(), due_at=day, follow_ups=news)
        Paper.objects.filter(pk=gone.pk).update(withdrawn_at=day)
        delivery.send_digests(lambda day=day: day)
    assert list(Digest.objects.order_by("pk").values_list("state", "reason"))[1:] == [
        ("skipped", "papers withdrawn"),
        ("accepted", ""),
    ]
    assert len(mailoutbox) == 1
    assert "Its code has been released since we sent it to you" in mailoutbox[0].body
    assert edition.entries.count() == 1
    assert news_for(digest.subscriber, late + 2 * DAY) == []


def test_a_week_of_mornings_tells_each_reader_once_and_mails_nobody_for_news_alone(mailoutbox):
    readers = {name: make_reader(name) for name in ("daily", "late", "weekly")}
    readers["weekly"].weekdays = 1 << TODAY.weekday()
    readers["weekly"].save()
    first = make_paper(1)
    make_edition([first])
    readers["late"].next_due_at = NOW + DAY
    readers["late"].save()
    mailed = {}
    for n in range(9):
        now = NOW + n * DAY
        if n not in {0, 2}:  # on the third day nothing is new
            Edition.objects.filter(pk=make_edition([another(10 + n, now.date())], now.date()).pk).update(
                approved_at=now
            )
        planning.plan_due(now)
        delivery.send_digests(lambda now=now: now)
        mailed[n] = {message.to[0].partition("@")[0]: message.body for message in mailoutbox}
        mailoutbox.clear()
        if n == 0:
            release(first)
        follow_ups.notice(now + timedelta(hours=2))
        for day in outcomes.days_to_close(now):
            outcomes.close_day(day, now)
    told = {(n, who) for n, own in mailed.items() for who, body in own.items() if "Its code has been released" in body}
    assert told == {(1, "daily"), (7, "weekly")}
    assert not mailed[2], "no papers, no mail"
    assert set(mailed[8]) == {"daily", "late"}


def test_news_is_told_for_two_weeks(reader, paper):
    mail_to(reader, [paper])
    release(paper)
    assert news_for(reader, NEWS_AT + timedelta(days=13, hours=23)) == [code_of(paper)]
    assert news_for(reader, NEWS_AT + 14 * DAY) == []


def test_news_that_nobody_looked_for_in_three_days_is_let_go(reader, paper):
    mail_to(reader, [paper])
    Paper.objects.update(code_url=CODE, code_seen_at=NEWS_AT)
    assert follow_ups.notice(NEWS_AT + 3 * DAY) == 0
    assert follow_ups.notice(NEWS_AT + 2.9 * DAY) == 1


def test_a_mail_tells_three_at_most_the_newest_first_and_the_next_one_the_rest(reader):
    many = [make_paper(n) for n in range(1, 6)]
    make_edition(many)
    mail_to(reader, many)
    for n, paper in enumerate(many):
        release(paper, NEWS_AT + timedelta(hours=n))
    first = mail_to(reader, [another(20)], MAIL_AT + DAY)
    assert first == [code_of(paper) for paper in many[:1:-1]]
    assert mail_to(reader, [another(21)], MAIL_AT + 2 * DAY) == [code_of(paper) for paper in many[1::-1]]


@pytest.mark.parametrize(
    "changed",
    [
        {"hidden_at": NOW},
        {"code_url": ""},
        {"withdrawn_at": NEWS_AT},
    ],
)
def test_of_a_paper_without_code_hidden_or_withdrawn_no_code_is_told(reader, paper, changed):
    mail_to(reader, [paper])
    release(paper)
    Paper.objects.filter(pk=paper.pk).update(**changed)
    assert news_for(reader, MAIL_AT + DAY) == []


def test_what_was_not_withdrawn_after_all_is_not_told(reader, paper):
    mail_to(reader, [paper])
    withdraw(paper)
    Paper.objects.update(withdrawn_at=None)
    assert news_for(reader, MAIL_AT + DAY) == []


def merged(paper, number=7):
    """Another row of the work, merged into it."""
    twin = another(number)
    merging.merge([paper.pk, twin.pk], NOW, by="editor")
    return twin


def test_readers_of_both_rows_of_a_work_are_told_once_and_by_the_row_that_is_seen(paper):
    twin = merged(paper)
    one, other, both = (reader_called(name) for name in ("one", "other", "both"))
    Edition.objects.get().entries.create(paper=twin, position=2, score=1.0)
    for reader, chosen in ((one, [paper]), (other, [twin]), (both, [paper, twin])):
        mail_to(reader, chosen)
    sent.add({twin.pk: [other.pk, 4711]})
    assert withdraw(twin) == 1
    row = FollowUp.objects.get()
    assert (row.paper, set(follow_ups.readers_of(row))) == (paper, {one.pk, other.pk, both.pk, 4711})
    for reader in (one, other, both):
        assert mail_to(reader, [another(20 + reader.pk)], MAIL_AT + DAY) == [withdrawal_of(paper)]
    withdraw(paper, NEWS_AT + DAY)
    for day in (TODAY, TODAY + DAY):
        close(day)
    assert follow_ups.News.read(NEWS_AT + 4 * DAY).for_readers([one.pk, other.pk, both.pk]) == {}


def test_a_merge_after_the_news_does_not_tell_it_again(reader, paper):
    mail_to(reader, [paper])
    release(paper)
    survivor = Paper.objects.create(key="arxiv:2603.00000", arxiv_id="2603.00000", title="First", first_seen_at=NOW)
    assert mail_to(reader, [another(2)], MAIL_AT + DAY) == [code_of(paper)]
    Paper.objects.filter(pk=paper.pk).update(arxiv_id=None)
    assert merging.merge([paper.pk, survivor.pk], NEWS_AT, by="editor") == survivor
    assert follow_ups.notice(NEWS_AT + DAY) == 0
    assert news_for(reader, MAIL_AT + 2 * DAY) == []
    for day in (TODAY, TODAY + DAY):
        close(day)
    assert news_for(reader, MAIL_AT + 4 * DAY) == []


def test_two_rows_with_news_of_their_own_that_are_merged_are_told_as_one(reader, paper):
    twin = another(2)
    Edition.objects.get().entries.create(paper=twin, position=2, score=1.0)
    mail_to(reader, [paper, twin])
    release(paper), release(twin)
    assert len(news_for(reader, MAIL_AT + DAY)) == 2
    merging.merge([paper.pk, twin.pk], NEWS_AT, by="editor")
    assert mail_to(reader, [another(3)], MAIL_AT + DAY) == [code_of(paper)]
    for day in (TODAY, TODAY + DAY):
        close(day)
    assert news_for(reader, MAIL_AT + 4 * DAY) == []


def test_an_erased_reader_is_to_be_told_nothing_and_others_still_are(reader, paper):
    other = reader_called("other")
    mail_to(reader, [paper]), mail_to(other, [paper])
    release(paper)
    erased = reader.pk
    assert privacy.erase(erased, NEWS_AT)
    assert set(follow_ups.readers_of(FollowUp.objects.get())) == {other.pk}
    assert follow_ups.News.read(MAIL_AT + DAY).for_readers([erased, other.pk]) == {other.pk: [code_of(paper)]}


def test_after_a_month_the_news_is_kept_without_its_readers(reader, paper):
    mail_to(reader, [paper])
    release(paper)
    retention.prune(NEWS_AT + 30 * DAY)
    assert set(follow_ups.readers_of(FollowUp.objects.get())) == {reader.pk}
    retention.prune(NEWS_AT + 31 * DAY)
    assert not follow_ups.readers_of(FollowUp.objects.get())
    assert follow_ups.notice(NEWS_AT + 2 * DAY) == 0, "once, for ever"


def test_looking_and_telling_cost_the_same_queries_for_few_and_for_many():
    def cost(number, work):
        with CaptureQueriesContext(connection) as seen:
            work()
        return number, len(seen)

    looked, told = [], []
    for round_, size in enumerate((1, 6), start=1):
        readers = [reader_called(f"r{round_}-{n}") for n in range(size)]
        own = [make_paper(100 * round_ + n) for n in range(size)]
        make_edition(own, TODAY - round_ * DAY)
        for one in readers:
            mail_to(one, own)
        Paper.objects.filter(pk__in=[p.pk for p in own]).update(code_url=CODE, code_seen_at=NEWS_AT)
        looked.append(cost(size, lambda: follow_ups.notice(NEWS_AT)))
        ids = [one.pk for one in readers]
        told.append(cost(size, lambda ids=ids: follow_ups.News.read(MAIL_AT + DAY).for_readers(ids)))
    assert len({queries for _, queries in looked}) == len({queries for _, queries in told}) == 1
    nothing = follow_ups.News.read(NEWS_AT + 20 * DAY)
    assert cost(0, lambda: nothing.for_readers(range(1, 1000)))[1] == 0
    assert cost(0, lambda: follow_ups.notice(NEWS_AT))[1] <= 7


@pytest.mark.skipif(connection.vendor != "postgresql", reason="at once: SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_find_news_once_and_forget_no_reader_who_was_told(paper):
    readers = [reader_called(f"r{n}") for n in range(12)]
    for reader in readers:
        mail_to(reader, [paper])
    Paper.objects.update(code_url=CODE, code_seen_at=NEWS_AT)
    both = threading.Barrier(2)

    def work(own):
        both.wait()
        follow_ups.notice(NEWS_AT)
        both.wait()
        for reader in own:
            follow_ups.told({(paper.pk, "code"): [reader.pk]})
        connection.close()

    threads = [threading.Thread(target=work, args=(own,)) for own in (readers[:5], readers[5:10])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(follow_ups.readers_of(FollowUp.objects.get())) == {reader.pk for reader in readers[10:]}


# Since when the code is known.


def code_seen():
    return Paper.objects.get().code_seen_at


def store(record, at):
    return papers.store([record], TODAY, at)


def test_the_code_is_seen_when_a_source_first_says_it_and_that_time_stays():
    bare = make_record(1)
    store(bare, NOW)
    assert code_seen() is None
    store(replace(bare, code_url=CODE), NEWS_AT)
    store(replace(bare, code_url=f"{CODE}/moved"), NEWS_AT + DAY)
    assert (code_seen(), Paper.objects.get().code_url) == (NEWS_AT, f"{CODE}/moved")


def test_a_paper_may_come_with_its_code():
    store(make_record(1, code_url=CODE), NOW)
    assert code_seen() == NOW


def test_code_that_was_known_before_anybody_wrote_down_when_is_no_news(reader, paper):
    Paper.objects.update(code_url=CODE)
    mail_to(reader, [paper])
    store(make_record(1, code_url=f"{CODE}/moved", title=paper.title), NEWS_AT)
    assert (code_seen(), follow_ups.notice(NEWS_AT)) == (None, 0)


def test_an_address_that_an_editor_took_out_is_not_seen_again():
    store(make_record(1), NOW)
    Paper.objects.update(edited=["code_url"])
    store(make_record(1, code_url=CODE), NEWS_AT)
    assert (code_seen(), Paper.objects.get().code_url) == (None, "")


def test_merging_and_taking_apart_leave_each_row_its_own_time(monkeypatch, reader):
    monkeypatch.setitem(SOURCES, "arxiv_rss", replace(SOURCES["arxiv_rss"], read=lambda raw, day: records[raw["n"]]))
    records = [make_record(n, code_url=CODE if n else "", raw={"n": n}) for n in (0, 1)]
    for record, at in zip(records, (NOW, NEWS_AT), strict=True):
        store(record, at)
    bare, other = Paper.objects.order_by("pk")
    make_edition([bare])
    mail_to(reader, [bare])
    survivor = merging.merge([bare.pk, other.pk], NEWS_AT + timedelta(hours=1), by="editor")
    assert (survivor, survivor.code_url, survivor.code_seen_at) == (bare, CODE, None)
    assert follow_ups.notice(NEWS_AT + timedelta(hours=1)) == 1, "its reader has it without the code"
    merging.unmerge(Paper.objects.get(pk=other.pk))
    assert list(Paper.objects.order_by("pk").values_list("code_url", "code_seen_at")) == [("", None), (CODE, NEWS_AT)]
    assert news_for(reader, MAIL_AT + DAY) == [], "that was another work's"


@pytest.mark.parametrize(("before", "seen"), [("", True), (CODE, False)])
def test_an_editor_who_types_the_address_of_the_code_has_seen_it(admin_client, paper, before, seen):
    Paper.objects.update(code_url=before)
    path = reverse("admin:digest_paper_change", args=[paper.pk])
    form = admin_client.get(path).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields}
    lines = {name: "\n".join(getattr(paper, name)) for name in ("authors", "categories", "keywords")}
    answer = admin_client.post(path, {**values, **lines, "code_url": f"{CODE}/typed"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert Paper.objects.get().code_url == f"{CODE}/typed"
    assert bool(code_seen()) is seen


def test_editors_see_how_many_are_to_be_told_and_nobody_who(client, reader, paper):
    mail_to(reader, [paper])
    release(paper)
    user = User.objects.create_user("ana", is_staff=True)
    client.force_login(user)
    path = reverse("admin:digest_followup_changelist")
    assert client.get(path).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_followup"))
    shown = client.get(path).content.decode()
    assert paper.title in shown
    assert "code released" in shown
    assert reader.email not in shown
    row = reverse("admin:digest_followup_change", args=[FollowUp.objects.get().pk])
    assert client.get(row).status_code in {302, 403}


def test_the_command_that_reads_the_sources_notices_news(reader, paper, settings):
    settings.SOURCES = ["sample"]
    mail_to(reader, [paper])
    Paper.objects.update(code_url=CODE, code_seen_at=NEWS_AT)
    out = StringIO()
    call_command("fetch_papers", day=TODAY, now=NEWS_AT, stdout=out)
    assert "News of papers that readers have: 1." in out.getvalue()


# The whole of it, at random, against a book that is kept by hand.

STATE = st.sampled_from(["accepted", "accepted", "accepted", "rejected", "uncertain", "skipped"])
EVENT = st.tuples(
    st.sampled_from(["mail", "mail", "news", "close", "look"]), st.integers(0, 2), st.integers(0, 3), STATE
)


@given(events=st.lists(EVENT, min_size=5, max_size=30))
def test_who_had_the_paper_first_is_told_exactly_once_and_nobody_else(events):
    with transaction.atomic():
        _play(events)
        transaction.set_rollback(True)


def _play(events):
    readers = [reader_called(f"r{n}") for n in range(3)]
    known = [make_paper(n) for n in range(1, 5)]
    make_edition(known)
    arrived = {"accepted", "uncertain"}
    has: set = set()
    owed: set = set()
    happened: set = set()
    mailed: set = set()
    closed: set = set()
    told: list = []
    for n, (event, r, p, state) in enumerate(events):
        now = MAIL_AT + n * timedelta(hours=8)
        day, reader, paper = now.date(), readers[r], known[p]
        if event == "mail" and (r, day) not in mailed:
            mailed.add((r, day))
            chosen = [] if (r, p) in has else [paper]
            news = {known.index(Paper.objects.get(pk=one["paper"])) for one in mail_to(reader, chosen, now, state)}
            expected = {q for s, q, until in owed if s == r and now < until}
            assert news == expected if len(expected) <= 3 else news < expected
            if state in arrived:
                has |= {(r, p)}
                told += [(r, q) for q in news]
                owed = {one for one in owed if one[0] != r or one[1] not in news}
        elif event == "news" and p not in happened:
            happened.add(p)
            owed |= {(s, q, now + 14 * DAY) for s, q in has if q == p}
            assert release(paper, now) == 1
        elif event == "close":
            for ended in sorted({on for _, on in mailed} - closed):
                if now >= outcomes.closes_at(ended) + DAY:
                    closed.add(ended)
                    outcomes.close_day(ended, now)
        else:
            assert follow_ups.notice(now) == 0
    assert len(told) == len(set(told))
