"""What was chosen before signing up: there after confirming, and never anybody else's to overwrite."""

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import letters, lifecycle, links, privacy
from subscriptions.forms import ChoiceForm, SignupForm
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber, Suppression, Topic
from tests.conftest import NOW, filled, make_reader, origin
from tests.subscriptions.doors import take_clock, work_off

pytestmark = pytest.mark.django_db
CHOICE = {"topic": ["robotics", "speech"], "words": "protein folding\r\nc++", "only": "True", "papers": "5"}


@pytest.fixture(autouse=True)
def clock(monkeypatch, robotics, speech):
    return take_clock(monkeypatch, NOW)


@pytest.fixture
def sign_up(client, nudges):
    """Sends the form and lets the worker do its part; the request."""

    def send(email="new@example.org", **choice):
        answer = client.post(reverse("subscribe"), filled(email, **choice))
        assert answer.status_code == 303
        work_off(nudges)
        return SignupRequest.objects.latest("pk")

    return send


def press_confirm(client, request):
    return client.post(links.confirm_path(request, NOW))


def test_who_confirms_has_the_topics_keywords_and_limits_already(client, sign_up, robotics, speech):
    answer = press_confirm(client, sign_up(**CHOICE))
    reader = Subscriber.objects.get()
    assert Interests.of(reader) == Interests((robotics.pk, speech.pk), ("protein folding", "c++"))
    assert (reader.only_my_topics, reader.paper_limit) == (True, 5)
    assert [e.kind for e in ConsentEvent.objects.all()] == ["requested", "confirmed"]
    page = client.get(answer["Location"])
    assert page.context["form"]["topics"].value() == [robotics.pk, speech.pk]
    assert page.context["guess_zone"], "the zone was not chosen by choosing topics"


def test_nothing_of_it_counts_before_confirming(client, sign_up):
    request = sign_up(**CHOICE)
    assert client.get(links.confirm_path(request, NOW)).status_code == 200
    reader = Subscriber.objects.get()
    assert not reader.interests.exists()
    assert (reader.only_my_topics, reader.paper_limit) == (False, 10)


def test_pressing_twice_brings_back_nothing_that_was_changed_in_between(client, sign_up, speech):
    request = sign_up(**CHOICE)
    press_confirm(client, request)
    reader = Subscriber.objects.get()
    lifecycle.choose(reader, {"paper_limit": 20}, Interests(), NOW, origin())
    press_confirm(client, request)
    reader.refresh_from_db()
    assert (Interests.of(reader), reader.paper_limit) == (Interests(), 20)


@pytest.mark.parametrize("topics", [True, False])
def test_a_stranger_who_types_the_address_of_a_reader_changes_nothing(client, sign_up, speech, topics):
    reader = make_reader("reader", *([speech] if topics else []))
    request = sign_up(reader.email, **CHOICE)
    lifecycle.confirm(request, NOW, origin())
    reader.refresh_from_db()
    assert Interests.of(reader).topics == ((speech.pk,) if topics else ())
    assert (reader.only_my_topics, reader.paper_limit) == (False, 10)


def test_a_reader_whose_bounce_is_lifted_by_the_link_keeps_what_was_chosen(client, sign_up):
    reader = make_reader("reader")
    Suppression.objects.create(email_hash=reader.email_hash, reason="bounce", created_at=NOW)
    press_confirm(client, sign_up(reader.email, **CHOICE))
    reader.refresh_from_db()
    assert Subscriber.objects.active(NOW).filter(pk=reader.pk).exists()
    assert (Interests.of(reader), reader.paper_limit) == (Interests(), 10), "nothing chosen is a choice, too"


def test_who_comes_back_keeps_what_is_there_and_the_limits(client, sign_up, speech, robotics):
    back, bare = (make_reader(name, state="unsubscribed", paper_limit=20) for name in ("back", "bare"))
    lifecycle.choose(back, {}, Interests((speech.pk,)), NOW, origin())
    for reader in (back, bare):
        press_confirm(client, sign_up(reader.email, **CHOICE))
        reader.refresh_from_db()
        assert (reader.state, reader.paper_limit, reader.only_my_topics) == ("active", 20, False)
    assert Interests.of(back) == Interests((speech.pk,))
    assert Interests.of(bare).topics == (robotics.pk, speech.pk), "who had chosen nothing takes the new choice"


def test_a_topic_that_is_not_on_offer_any_more_is_left_out_at_the_confirmation(client, sign_up, robotics, speech):
    request = sign_up(**CHOICE)
    Topic.objects.filter(pk=robotics.pk).update(offered=False)
    speech.delete()
    press_confirm(client, request)
    assert Interests.of(Subscriber.objects.get()) == Interests((), ("protein folding", "c++"))


@pytest.mark.parametrize(
    "choice",
    [
        {"topic": ["no-such-topic", "\x00", *(f"t{n}" for n in range(400))]},
        {"words": "x" * 10_000},
        {"words": "a\x00b\r\nx"},
        {"papers": "7", "only": "perhaps"},
    ],
)
def test_a_choice_that_is_wrong_stops_no_sign_up_and_leaves_out_what_is_wrong(client, sign_up, choice, robotics):
    request = sign_up(**{"topic": ["robotics"], "words": "quantum", **choice})
    press_confirm(client, request)
    reader = Subscriber.objects.get()
    assert reader.state == "active"
    assert Interests.of(reader).topics == (() if "topic" in choice else (robotics.pk,))
    assert Interests.of(reader).phrases == (() if "words" in choice else ("quantum",))
    assert reader.paper_limit == 10


def test_lines_that_fit_are_kept_beside_those_that_do_not(client, sign_up):
    words = "\r\n".join(["x" * 81, "a", "graph  networks", "graph networks", *(f"word {n}" for n in range(60))])
    kept = sign_up(words=words).choice["phrases"]
    assert kept == ["graph networks", *(f"word {n}" for n in range(49))]


@given(
    st.dictionaries(
        st.sampled_from(["topic", "words", "only", "papers"]),
        st.one_of(st.text(max_size=200), st.sampled_from(["robotics", "5", "\x00", "x\ny\nzz"])),
    )
)
def test_whatever_is_kept_of_a_choice_can_be_a_readers_interests(data):
    kept = ChoiceForm(data).kept()
    assert bool(kept) == bool(data)
    if kept:
        reader = Subscriber(pk=1)
        for row in Interests(tuple(kept["topics"]), tuple(kept["phrases"])).rows(reader):
            row.clean_fields(exclude=["subscriber"])
        assert kept["paper_limit"] in {5, 10, 20}
        assert kept["only_my_topics"] in {True, False}


def test_a_sign_up_without_a_choice_keeps_none_and_looks_for_none(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert SignupForm(filled("a@example.org")).choice.kept() == {}


def test_an_address_with_a_fault_keeps_the_choice_on_the_page(client):
    page = client.post(reverse("subscribe"), filled("no address", **CHOICE))
    assert page.status_code == 422
    for name, value in (("topic", "robotics"), ("topic", "speech"), ("papers", "5"), ("only", "True")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page.content.decode()


def test_the_export_tells_what_was_chosen_and_only_of_the_readers_own_address(client, sign_up):
    press_confirm(client, sign_up(**CHOICE))
    reader = Subscriber.objects.get()
    elsewhere = letters.ask(SignupRequest.Kind.MOVE, "other@example.org", NOW, subscriber=reader, choice={"topics": []})
    told = privacy.export(reader, NOW)["letters_asked_for"]
    chosen = {
        "topics": ["Robotics", "Speech"],
        "phrases": ["protein folding", "c++"],
        "only_my_topics": True,
        "paper_limit": 5,
    }
    assert [letter["chosen_with_it"] for letter in told] == [chosen, {}]
    elsewhere.delete()


def test_erasing_and_time_forget_it(client, sign_up):
    press_confirm(client, sign_up(**CHOICE))
    privacy.erase(Subscriber.objects.get().pk, NOW)
    assert not SignupRequest.objects.exists()
    sign_up("never@example.org", **CHOICE)
    lifecycle.expire(NOW + lifecycle.joining.KEPT_PENDING)
    assert not SignupRequest.objects.exists()
