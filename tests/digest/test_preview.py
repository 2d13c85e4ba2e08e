from datetime import time, timedelta

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from digest import board, planning, preview
from digest.management.commands import preview_digest
from digest.models import Digest
from digest.preview import Profile
from subscriptions.models import Interest, Subscriber
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.subscriptions.doors import everything

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)
WEEKLY = 1 << NOW.weekday()


def papers_of(found):
    return [p["paper"] for p in found.digest.picks]


@pytest.fixture
def week(robotics, speech):
    """Papers of three days, in two topics and none."""
    editions = []
    for back in (2, 1, 0):
        day = TODAY - timedelta(days=back)
        papers = [
            make_paper(10 * back + 1, f"A robot of day {back}", day=day, categories=["cs.RO"]),
            make_paper(10 * back + 2, f"Speech recognition of day {back}", day=day, categories=["eess.AS"]),
            make_paper(10 * back + 3, f"Protein folding of day {back}", day=day, categories=["q-bio"]),
        ]
        editions.append(make_edition(papers, day))
    return editions


def readers_of_every_kind(robotics, speech):
    """Readers who get something different each."""
    mine = [
        make_reader("plain"),
        make_reader("topic", robotics, only_my_topics=True),
        make_reader("two-topics", robotics, speech, paper_limit=5),
        make_reader("weekly", speech, weekdays=WEEKLY),
        make_reader("weekly-plain", weekdays=WEEKLY, paper_limit=20),
        make_reader("in-tokyo", robotics, zone="Asia/Tokyo", hour=time(15, 30)),
        make_reader("catching-up", robotics),
        make_reader("had-some", speech),
        make_reader("nothing-fits", only_my_topics=True),
    ]
    by_name = {reader.email.partition("@")[0]: reader for reader in mine}
    make_digest(by_name["catching-up"], [], "accepted", TODAY - timedelta(days=3), content_to=TODAY - timedelta(days=3))
    had = list(board.read_board(NOW).entries[YESTERDAY])
    make_digest(by_name["had-some"], [], "accepted", YESTERDAY, content_to=TODAY - timedelta(days=2))
    Digest.objects.filter(subscriber=by_name["had-some"]).update(picks=[{"paper": had[0].paper, "place": 1, "why": []}])
    interests = ((Interest.Kind.PHRASE, "quantum"), (Interest.Kind.MUTED_WORD, "robot"))
    for kind, text in interests:
        Interest.objects.create(subscriber=by_name["nothing-fits"], kind=kind, text=text)
    return mine


def test_a_preview_is_what_planning_then_stores_and_stores_nothing_itself(week, robotics, speech):
    readers = readers_of_every_kind(robotics, speech)
    before = everything()
    found = {reader.pk: preview.for_reader(reader, NOW) for reader in readers}
    mails = {pk: shown.raw for pk, shown in found.items() if not shown.reason}
    assert everything() == before
    assert len(mails) == len(readers) - 1, "one reader gets nothing"
    planning.plan_due(NOW)
    for stored in Digest.objects.filter(state__in=["planned", "skipped"]):
        shown = found[stored.subscriber_id].digest
        for name in ("picks", "day", "cadence", "state", "reason", "content_from", "content_to", "follow_ups"):
            assert getattr(shown, name) == getattr(stored, name), (stored.subscriber, name)
    assert Digest.objects.filter(state__in=["planned", "skipped"]).count() == len(readers)


@pytest.mark.parametrize("held", [False, True])
def test_a_preview_of_a_draft_is_what_planning_stores_once_it_is_approved(week, robotics, speech, held):
    draft = week[-1]
    draft.state, draft.held = "draft", held
    draft.save()
    readers = readers_of_every_kind(robotics, speech)
    found = {reader.pk: preview.for_reader(reader, NOW, draft) for reader in readers}
    draft.state, draft.held = "approved", False
    draft.save()
    planning.plan_due(NOW)
    stored = {d.subscriber_id: d.picks for d in Digest.objects.filter(state__in=["planned", "skipped"])}
    assert {pk: shown.digest.picks for pk, shown in found.items()} == stored


def test_a_draft_is_in_its_own_preview_only(week):
    draft = week[-1]
    draft.state = "draft"
    draft.save()
    assert preview.for_profile(Profile(), NOW).digest.content_to == YESTERDAY
    assert preview.for_profile(Profile(), NOW, draft).digest.content_to == TODAY


def test_the_preview_of_an_earlier_day_knows_nothing_of_later_ones(week):
    found = preview.for_profile(Profile(), NOW, week[0])
    assert papers_of(found) == [entry.paper_id for entry in week[0].entries.all()]
    assert found.digest.day == week[0].day


def test_the_preview_of_a_day_that_a_reader_had_shows_it_again(week, confirmed):
    planning.plan_due(NOW)
    found = preview.for_reader(confirmed, NOW, week[-1])
    assert found.digest.picks == Digest.objects.get(subscriber=confirmed).picks
    assert found.note == f"This reader has a digest of that day already: {Digest.objects.get()}, planned."


def test_a_profile_gets_what_a_saved_reader_with_the_same_choices_gets(week, robotics, speech):
    saved = make_reader("saved", robotics, weekdays=WEEKLY, paper_limit=5, text_only=True)
    Interest.objects.create(subscriber=saved, kind=Interest.Kind.PHRASE, text="protein folding")
    Interest.objects.create(subscriber=saved, kind=Interest.Kind.AUTHOR, text="Bo Sample")
    profile = Profile((robotics.pk,), ("protein folding",), ("Bo Sample",), weekly=True, papers=5, text_only=True)
    made_up = preview.for_profile(profile, NOW)
    assert made_up.digest.picks == preview.for_reader(saved, NOW).digest.picks
    assert len(made_up.digest.picks) == 5
    assert made_up.mail.html is None


def test_a_mail_of_a_preview_has_no_address_and_no_link_of_the_reader(week, client, confirmed):
    found = preview.for_reader(confirmed, NOW)
    raw = found.raw.decode()
    assert "confirmed@" not in raw
    assert found.mail.value("To") == "reader@example.org"
    paths = {url.removeprefix("https://papers.example.org") for url in found.mail.urls if "papers.example.org" in url}
    personal = [path for path in paths if not path.startswith(("/days/", "/papers/"))]
    assert personal
    for path in personal:
        answer = client.get(path)
        nobodys = answer.status_code in {404, 410} or "We have no subscription for this link" in answer.content.decode()
        assert nobodys, path


def test_the_mail_of_a_draft_reads_as_it_will_when_it_is_approved(week):
    draft = week[-1]
    draft.state = "draft"
    draft.save()
    of_draft = preview.for_profile(Profile(weekly=True), NOW, draft).raw
    draft.state = "approved"
    draft.save()
    assert preview.for_profile(Profile(weekly=True), NOW).mail.page.text == preview.Mail(of_draft).page.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"paused_until": NOW + timedelta(days=3)}, "paused"),
        ({"state": "unsubscribed"}, "unsubscribed"),
        ({"state": "pending"}, "pending"),
    ],
)
def test_a_reader_who_gets_no_mail_is_shown_with_the_reason(week, fields, said):
    found = preview.for_reader(make_reader("a", **fields), NOW)
    assert found.note == f"No digest is planned for this reader now: {said}."
    assert found.digest.picks


def test_a_suppressed_reader_is_shown_with_the_reason(week, suppressed):
    assert preview.for_reader(suppressed, NOW).note == "No digest is planned for this reader now: suppressed."


def test_an_archived_mail_is_the_same_at_any_time(week):
    one = preview.archived(week[1]).mail
    Digest.objects.all().delete()
    make_edition([make_paper(50, day=TODAY + timedelta(days=1))], TODAY + timedelta(days=1))
    other = preview.archived(week[1]).mail
    assert (one.html, one.text, one.value("Date")) == (other.html, other.text, other.value("Date"))
    assert "Your next digest" not in one.text


# --- The command ----------------------------------------------------------------------------------


def run(*arguments):
    call_command("preview_digest", "--now", NOW.isoformat(), *map(str, arguments))


def test_the_command_writes_three_files_and_says_why_each_paper_is_in(week, robotics, tmp_path, capsys):
    before = everything()
    run("--topics", "robotics", "--papers", 5, "--out", tmp_path)
    assert everything() == before
    assert {file.name for file in tmp_path.iterdir()} == {"preview.eml", "preview.html", "preview.txt"}
    out = capsys.readouterr().out
    assert "1. A robot of day 0" in out
    assert "Robotics" in out
    assert "popular: no interest of this reader brought it" in out
    assert "KB of 80" in out
    assert "A robot of day 0" in (tmp_path / "preview.html").read_text()
    assert "A robot of day 0" in (tmp_path / "preview.txt").read_text()


@pytest.mark.parametrize("named", ["number", "address"])
def test_the_command_shows_a_saved_readers_mail_without_the_address(week, confirmed, tmp_path, capsys, named):
    run("--reader", confirmed.pk if named == "number" else "Confirmed@example.org", "--out", tmp_path)
    assert "confirmed@" not in capsys.readouterr().out.lower()
    assert b"confirmed@" not in (tmp_path / "preview.eml").read_bytes().lower()


def test_a_reader_of_text_has_no_html_file(week, tmp_path, capsys):
    run("--out", tmp_path)
    run("--text-only", "--out", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"preview.eml", "preview.txt"}


def test_the_command_opens_the_html_where_it_is_asked_to(week, tmp_path, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr(preview_digest.webbrowser, "open", opened.append)
    run("--out", tmp_path)
    assert opened == []
    run("--open", "--out", tmp_path)
    assert opened == [(tmp_path / "preview.html").as_uri()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--reader", 99), "no such reader"),
        (("--reader", "nobody@example.org"), "no such reader"),
        (("--reader", "not an address"), "no such reader"),
        (("--reader", "9" * 30), "no such reader"),
        (("--topics", "robotics,cooking"), "No topic cooking. There are: robotics, speech"),
        (("--edition", "2020-01-01"), "no edition of 2020-01-01"),
        (("--papers", "0"), "no number of papers"),
        (("--papers", "many"), "no number of papers"),
        (("--language", "xx"), "invalid choice"),
    ],
)
def test_bad_input_of_the_command_gets_a_line_that_says_what_to_do(week, arguments, said):
    with pytest.raises(CommandError, match=said):
        run(*arguments)


def test_without_a_paper_the_command_says_why(db, robotics):
    with pytest.raises(CommandError, match="No mail for this reader: no new papers"):
        run()
    make_edition([make_paper(1, "Other", categories=["math.GT"])])
    reader = make_reader("a", robotics, only_my_topics=True)
    with pytest.raises(CommandError, match="no match in your topics"):
        run("--reader", reader.pk)


@given(text=st.text(max_size=30))
def test_any_text_for_a_reader_is_a_reader_or_an_error(text):
    command = preview_digest.Command()
    with pytest.raises(CommandError, match="no such reader"):
        command.reader(text)
    assert not Subscriber.objects.exists()
