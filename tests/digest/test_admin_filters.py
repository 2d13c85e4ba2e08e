"""What staff write into the address of the admin's lists: never a fault of ours, whatever it is."""

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.admin import ListAdmin
from tests.conftest import make_digest, make_edition, make_paper, make_reader

pytestmark = [pytest.mark.django_db, pytest.mark.long]

NASTY = [
    "\x00", b"\xff", b"\xed\xa0\x80", "9" * 30, "-" + "9" * 30, "9223372036854775808", "9" * 4301, "²", "٣", "[", "%", "1,2," + "9" * 30,
    "2026-02-30", "999999-01-01", "0000-00-00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "999999", "0", "a" * 3000,
]  # fmt: skip
ODD = [
    *NASTY,
    "",
    "-1",
    "1e400",
    "NaN",
    "*",
    "\\",
    "'",
    "None",
    "True",
    "unknown",
    "2026-03-20",
    ",",
    "{}",
    "[[",
    "\u202e",
    "\U0001f600",
    "\r\nX: y",
]
LOOKUPS = ["", "__in", "__isnull", "__gt", "__year", "__contains", "__any_of", "__range"]
MORE = [
    *LOOKUPS,
    "__lte",
    "__month",
    "__date",
    "__date__gt",
    "__time",
    "__hour",
    "__nonsense",
    "__pk",
    "__icontains",
    "__isempty",
    "__has_key",
    "__0",
    "__",
    "__regex",
    "__iregex",
]
OWN = ["q", "o", "p", "e", "all", "_facets", "_to_field", "_changelist_filters"]
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
FIELDS = {model: [field.name for field in model._meta.get_fields()] for model in MODELS}


def path_of(model, page="changelist", *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def filters_of(model):
    """The names of the parameters that the list itself writes: of its filters and of its calendar."""
    names = []
    for one in admin.site._registry[model].list_filter:
        field = one[0] if isinstance(one, tuple) else one
        own = getattr(field, "parameter_name", None)
        names += (
            [own] if own else [f"{field}{lookup}" for lookup in ("__exact", "__isnull", "__gte", "__lt", "__isempty")]
        )
    calendar = admin.site._registry[model].date_hierarchy
    return [*names, *(f"{calendar}__{part}" for part in ("year", "month", "day") if calendar)]


@pytest.fixture
def staff(admin_user):
    """A client that tells faults as answers do; a row of most kinds is there."""
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    paper, reader = make_paper(1), make_reader()
    make_edition([paper])
    make_digest(reader, [paper])
    return client


def ask(client, path, query):
    with transaction.atomic():  # outside of tests a statement that PostgreSQL refuses ends with its request
        answer = client.get(path, query)
        transaction.set_rollback(True)
    assert answer.status_code in {200, 302, 303, 400, 403, 404}, f"{answer.status_code} {path} {query}"
    return answer


def test_the_walk_knows_every_list():
    assert len(MODELS) >= 12
    assert {"state__exact", "day__year"} <= {name for model in MODELS for name in filters_of(model)}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_list_fails_by_what_its_own_parameters_say(staff, model):
    for name in [*filters_of(model), *OWN]:
        for value in NASTY:
            ask(staff, path_of(model), {name: value})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_list_fails_by_any_lookup_of_any_field(staff, model):
    for field in FIELDS[model]:
        for lookup in LOOKUPS:
            for value in ("9" * 30, "["):
                ask(staff, path_of(model), {field + lookup: value})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@pytest.mark.parametrize("lookup", ["regex", "iregex", "date__regex"])
def test_no_list_is_asked_by_a_regular_expression(staff, model, lookup):
    own = admin.site._registry[model]
    for field in FIELDS[model]:
        assert not isinstance(own, ListAdmin) or not own.lookup_allowed(f"{field}__{lookup}", "a", None)
        assert staff.get(path_of(model), {f"{field}__{lookup}": "(a+)+$"}).status_code == 400


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@given(data=st.data())
def test_no_list_fails_by_several_odd_parameters_at_once(staff, model, data):
    names = st.sampled_from([*filters_of(model), *OWN, *(field + lookup for field in FIELDS[model] for lookup in MORE)])
    query = data.draw(
        st.dictionaries(
            names,
            st.one_of(st.sampled_from(ODD), st.text(st.characters(codec="utf-8"), max_size=20)),
            min_size=1,
            max_size=4,
        )
    )
    ask(staff, path_of(model), query)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_page_of_a_row_fails_by_what_stands_in_its_address(staff, model):
    for key in ("0", "9" * 30, "-1", "\x00", "_00", "²", " "):
        for page in ("change", "history", "delete"):
            ask(staff, path_of(model, page, key), {})


def test_no_autocomplete_or_jump_fails(staff):
    for value in ODD:
        ask(
            staff,
            reverse("admin:autocomplete"),
            {"term": value, "app_label": value, "model_name": value, "field_name": value, "page": value},
        )
        ask(staff, reverse("admin:index"), {"q": value, "next": value})
        ask(staff, reverse("admin:login"), {"next": value})
