"""Addresses of public pages with what no database takes: 4xx or the page, never a fault, and nothing is changed."""

from datetime import date

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.conftest import make_edition, make_paper

pytestmark = pytest.mark.django_db

INTEGERS = ["9" * 30, "9223372036854775808", "2147483648", "9" * 4301, "٣", "0"]
TEXTS = ["%00", "a%00b", "%ED%A0%80", "%FF", "%F0%9F%98%80", "9" * 3000]
DAYS = ["0001-01-01", "9999-12-31", "0000-00-00", "2026-02-30", "٢٠٢٦-٠٣-٢٠"]
VALUES = {"int": INTEGERS, "str": TEXTS, "date": DAYS, "slug": TEXTS}
ODD = ["%00", "9" * 30, "-1", "%ED%A0%80", "%FF"]


def patterns():
    """The public pages' own patterns."""
    found = []
    for pattern in get_resolver().url_patterns:
        inner = getattr(pattern, "url_patterns", [pattern])
        if str(pattern.pattern) == "":
            found += [one for one in inner if isinstance(one, URLPattern)]
    return found


def urls(*, odd_ones=True):
    """Each page's address, and with ``odd_ones`` those that have something odd in the place of one of its parts."""
    for pattern in patterns():
        route, kinds = pattern.pattern._route, pattern.pattern.converters
        names = {name: type(kind).__name__.lower().removesuffix("converter") for name, kind in kinds.items()}
        names = {name: "date" if kind == "isodate" else kind.replace("string", "str") for name, kind in names.items()}
        written = {name: f"<{'date' if kind == 'date' else kind}:{name}>" for name, kind in names.items()}
        plain = {"int": "1", "str": "abc", "date": "2026-03-20", "slug": "abc"}
        for odd in [None, *(names if odd_ones else [])]:
            for value in VALUES[names[odd]] if odd else [""]:
                url = f"/{route}"
                for name, kind in names.items():
                    url = url.replace(written[name], value if name == odd else plain[kind])
                yield url


def test_no_public_page_fails_by_its_path_or_its_parameters():
    make_edition([make_paper(1)], date(2026, 3, 20))
    client = Client(raise_request_exception=False)
    asked = list(urls())
    assert len(patterns()) >= 30
    assert len(list(urls(odd_ones=False))) == len(patterns())
    assert len(asked) > 100
    for url in asked:
        assert "<" not in url
        assert client.get(url).status_code < 500 or url == "/readyz", url
    for pattern, url in zip(patterns(), urls(odd_ones=False), strict=True):
        read = [f"{name}={value}" for name in getattr(pattern.callback, "parameters", ()) for value in ODD]
        for query in ["x=%00&%00=1", *read]:  # what a page does not read is dropped before it
            assert client.get(f"{url}?{query}").status_code < 500 or url == "/readyz", (url, query)


@pytest.mark.parametrize("address", ["/%00", "/days/%00/", "/admin/?next=%00", "/admin/?%00=1"])
def test_nul_in_an_address_is_refused(address):
    assert Client().get(address).status_code == 400


@pytest.mark.parametrize("address", ["/?q=%00", "/subscribe/?%00=1"])
def test_nul_in_what_a_page_does_not_read_is_dropped_with_it(address):
    assert Client().get(address).status_code == 200
