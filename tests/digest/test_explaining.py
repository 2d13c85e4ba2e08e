from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from digest import explaining, outcomes, planning
from digest.models import Digest
from subscriptions.models import Interest
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(robotics, speech):
    """A digest of two robots out of six papers, most of which are left out for a reason of their own."""
    had = make_paper(9, "A robot that was sent before")
    papers = [
        make_paper(1, "A robot arm"),
        make_paper(2, "A robot with an odd word: gravity"),
        had,
        make_paper(3, "Speech recognition for nobody", categories=["eess.AS"]),
        make_paper(4, "A robot leg"),
        make_paper(5, "Matter and form", categories=["math.CO"]),
    ]
    make_edition(papers)
    reader = make_reader("reader", robotics, only_my_topics=True, paper_limit=5)
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.MUTED_WORD, text="gravity")
    make_digest(reader, [had], state="accepted", day=TODAY.replace(day=19), content_to=TODAY.replace(day=19))
    planning.plan_due(NOW)
    return Digest.objects.get(day=TODAY)


def verdicts(lines):
    return {line.title: line.verdict for line in lines}


def test_every_pick_names_what_finds_it_and_its_place(planned):
    told = explaining.explain(planned, NOW)
    assert [line.paper for line in told.picks] == [pick["paper"] for pick in planned.picks]
    assert [line.place for line in told.picks] == [pick["place"] for pick in planned.picks]
    reason = told.picks[0].reasons[0]
    assert (reason.interest, reason.rank) == ("topic “Robotics”", 1)
    assert reason.relevance > 0
    assert len(told.notes) == 1
    assert "has no relevance model" in told.notes[0]


def test_every_paper_that_is_not_in_it_has_a_reason_of_its_own(planned):
    assert verdicts(explaining.explain(planned, NOW).others) == {
        "A robot with an odd word: gravity": "it names “gravity”, which the reader muted",
        "A robot that was sent before": "the reader has it from a day that is open",
        "Speech recognition for nobody": "no interest finds it, and the reader wants only what they find",
        "Matter and form": "no interest finds it, and the reader wants only what they find",
    }


def test_a_digest_of_a_closed_day_is_explained_like_any_other(planned):
    outcomes.close_day(TODAY.replace(day=19), outcomes.closes_at(TODAY.replace(day=19)))
    Digest.objects.filter(pk=planned.pk).update(state="accepted", accepted_at=NOW)
    outcomes.close_day(TODAY, outcomes.closes_at(TODAY))
    told = explaining.explain(Digest.objects.get(pk=planned.pk), NOW)
    assert [line.paper for line in told.picks] == [pick["paper"] for pick in planned.picks]
    assert verdicts(told.others)["A robot that was sent before"] == "the reader has it from a closed day"


def test_a_full_digest_says_that_the_limit_is_reached(planned):
    planned.subscriber.paper_limit = 1
    planned.subscriber.save()
    told = explaining.explain(planned, NOW)
    assert verdicts(told.others)["A robot leg"] == "the limit of 1 papers is reached before its turn"
    assert any("holds other papers than would be chosen now" in note for note in told.notes)


def test_one_command_prints_it_all_and_says_what_to_do_where_it_cannot(planned):
    out = StringIO()
    call_command("explain_digest", planned.pk, now=NOW, stdout=out)
    assert "Digest" in out.getvalue()
    with pytest.raises(CommandError, match=f"The newest is {planned.pk}"):
        call_command("explain_digest", planned.pk + 1)
    skipped = make_digest(
        make_reader("other"), [], state="skipped", reason="too late", content_from=None, content_to=None
    )
    with pytest.raises(CommandError, match="drew on no edition: skipped"):
        call_command("explain_digest", skipped.pk)
    planned.subscriber.delete()
    with pytest.raises(CommandError, match="erased"):
        call_command("explain_digest", planned.pk)


def test_editors_see_the_same_on_a_page_and_others_do_not(planned, admin_client, client):
    page = admin_client.get(f"/admin/digest/digest/{planned.pk}/why/")
    assert page.status_code == 200
    assert "it names “gravity”, which the reader muted" in page.content.decode()
    assert (
        f"/admin/digest/digest/{planned.pk}/why/"
        in admin_client.get(f"/admin/digest/digest/{planned.pk}/change/").content.decode()
    )
    assert client.get(f"/admin/digest/digest/{planned.pk}/why/").status_code == 302
    assert admin_client.post(f"/admin/digest/digest/{planned.pk}/why/").status_code == 405
    assert admin_client.get("/admin/digest/digest/999999/why/").status_code == 404
