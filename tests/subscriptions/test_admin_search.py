"""An address is searched for, and stands in no URL."""

from urllib.parse import unquote

import pytest
from django.urls import reverse

from subscriptions.addresses import address_hash
from subscriptions.models import Subscriber, Topic
from tests.conftest import make_reader

pytestmark = pytest.mark.django_db
LISTS = ["subscriber", "suppression", "signuprequest", "consentevent", "mailevent"]
TYPED = [
    "secret@example.org",
    " SECRET@Example.org ",
    "secret",
    "reader secret@example.org",
    "Ana <secret@example.org>",
]


def path_of(model):
    return reverse(f"admin:subscriptions_{model}_changelist")


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("method", ["post", "get"])
def test_nothing_that_was_typed_is_in_a_url_that_the_admin_sends_on_to_or_shows(admin_client, model, typed, method):
    make_reader("secret")
    answer = getattr(admin_client, method)(path_of(model), {"q": typed}, follow=True)
    urls = [unquote(url) for url, _ in answer.redirect_chain]
    assert len(urls) == 1
    assert "secret" not in " ".join(urls).lower()
    assert "secret" not in answer.content.decode().lower()
    assert answer.status_code == 200


def test_the_list_that_is_sent_on_to_keeps_its_filters_and_begins_at_page_one(admin_client):
    make_reader("secret")
    make_reader("other")
    answer = admin_client.post(
        path_of("subscriber") + "?state__exact=active&p=2&q=reader+9", {"q": "secret@example.org"}
    )
    assert answer.status_code == 303
    assert answer.url == path_of("subscriber") + f"?state__exact=active&q={address_hash('secret@example.org')}"
    assert admin_client.get(answer.url).context["cl"].result_count == 1


def test_an_international_address_is_found_as_it_is_kept(admin_client):
    Subscriber.objects.create(email="a@xn--bcher-kva.example", created_at="2026-01-01T00:00Z")
    found = admin_client.post(path_of("subscriber"), {"q": "A@BÜCHER.example"}, follow=True)
    assert found.context["cl"].result_count == 1


def test_an_empty_search_shows_all(admin_client):
    make_reader("secret")
    answer = admin_client.post(path_of("subscriber") + "?q=reader+99", {"q": " "})
    assert answer.url == path_of("subscriber")


def test_searching_needs_the_permission_to_see_the_list(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    assert client.post(path_of("subscriber"), {"q": "secret@example.org"}, follow=True).status_code == 403


def test_topics_are_searched_as_before(admin_client):
    Topic.objects.create(slug="robotics", name="Robotics", description="Robots.")
    page = admin_client.get(path_of("topic"), {"q": "robo"})
    assert page.context["cl"].result_count == 1
    assert 'method="get"' in page.content.decode()
