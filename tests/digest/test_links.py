"""Addresses that sources name: which of them reach a page, a mail or an export."""

import json
from dataclasses import replace

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from digest import delivery, saved
from digest.addresses import linkable
from digest.citations import bibtex, csl_json, ris
from digest.models import Paper
from digest.papers import store
from digest.sources.payload import url_of
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader, make_record

EVIL = [
    "https://github.com@evil.example/x",
    "https://github.com:pw@evil.example/x",
    "https://github.com%40evil.example/x",
    "https://github.com?@evil.example/",
    "https://github.com#@evil.example/",
    "https://evil.example:8443/x",
    "https://evil.example:80/x",
    "https://evil.example:/x",
    "https://evil.example:٤٤٣/x",
    "javascript://evil.example/%0aalert(1)",
    "ftp://evil.example/x",
    "//evil.example/x",
    "https:evil.example/x",
    "https:///evil.example/x",
    "https://github.com\\@evil.example/x",
    "https://evil.example\\x",
    "https://evil.example/a\\b",
    "https://evil.example/a\nb",
    "https://evil.example/a\0b",
    "https://evil.example/a%0d%0ab",
    "https://evil.example/\u202egnp.exe",
    "https://gith\u0443b.example/x",
    "https://xn--gthub-n4a.example/x",
    "https://github。com/x",
    "https://127.0.0.1/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "https://0x7f000001/x",
    "https://[::1]/x",
    "https://localhost/x",
    "https://router.local/x",
    "https://evil.example./x",
    "https://-evil.example/x",
    'https://evil.example/"><b>',
    "https://evil.example/" + "x" * 500,
]
GOOD = [
    "https://github.com/a/b",
    "http://example.org",
    "https://example.org?q=1#top",
    "https://example.org:443/x",
    "http://example.org:80/x",
    "HTTPS://Example.org/x",
    "https://medium.com/@somebody/post",
    "https://a-b.github.io/~x/(y)/z_1,2;3?q=a%20b&r=[1]",
    "https://example.org/論文/é",
]
hosts = st.sampled_from(["github.com", "evil.example"])
spoilt = st.one_of(
    st.builds("https://{}{}@{}/x".format, st.text(max_size=8), hosts, hosts),
    st.builds("https://{}:{}/x".format, hosts, st.integers(0, 99999).filter(lambda port: port != 443)),
    st.builds("{}://{}/x".format, st.text(max_size=8).filter(lambda s: s.lower() not in {"http", "https"}), hosts),
    st.builds("https://{}/{}x".format, hosts, st.sampled_from([chr(n) for n in range(33)] + ["\\", "\x7f", "\u202e"])),
    st.ip_addresses(v=4).map("https://{}/x".format),
    st.ip_addresses(v=6).map("https://[{}]/x".format),
    st.builds("https://gith{}b.example/x".format, st.characters(min_codepoint=128, exclude_categories=("Cs",))),
    st.sampled_from(EVIL),
)


@pytest.mark.parametrize("url", EVIL)
def test_an_address_that_misleads_is_no_link(url):
    assert linkable(url) == ""


@pytest.mark.parametrize("url", GOOD)
def test_an_ordinary_address_is_a_link_as_it_stands(url):
    assert linkable(url) == url


@given(spoilt)
def test_no_spoilt_address_is_a_link(url):
    assert linkable(url) == ""
    assert url_of(url) == ""


@given(st.text() | st.none() | st.integers() | st.binary() | st.text().map("https://example.org{}".format))
def test_anything_is_a_link_as_it_stands_or_none(value):
    assert linkable(value) in ("", value)


@pytest.mark.django_db
@pytest.mark.parametrize("url", EVIL)
def test_no_record_brings_such_an_address_into_a_row(url):
    store([make_record(1, code_url=url, project_url=url)], TODAY, NOW)
    assert Paper.objects.values_list("code_url", "project_url").get() == ("", "")


@pytest.mark.django_db
def test_a_row_of_before_is_mended_when_its_record_comes_again():
    record = make_record(1)
    store([record], TODAY, NOW)
    Paper.objects.update(code_url=EVIL[0], project_url=EVIL[0])
    store([replace(record, upvotes=7)], TODAY, NOW)
    assert Paper.objects.values_list("code_url", "project_url").get() == ("", "")


@pytest.mark.django_db
@pytest.mark.parametrize("url", [EVIL[0], EVIL[5], EVIL[25], "javascript:alert(1)//evil.example"])
def test_a_row_of_before_leads_nobody_there(url, client, admin_client, mailoutbox):
    on_arxiv = make_paper(1, code_url=url, project_url=url)
    elsewhere = make_paper(2, code_url=url, project_url=url)
    Paper.objects.filter(pk=elsewhere.pk).update(arxiv_id=None, key="sample:2")
    make_edition([on_arxiv, elsewhere])
    make_digest(make_reader(), [on_arxiv, elsewhere])
    delivery.send_digests(lambda: NOW)
    [message] = mailoutbox
    said = [message.body, message.alternatives[0][0]]
    said += [client.get(path).content.decode() for path in (f"/days/{TODAY}/", on_arxiv.get_absolute_url())]
    assert [text for text in said if url in text] == []
    for paper in (on_arxiv, elsewhere):
        form = admin_client.get(reverse("admin:digest_paper_change", args=[paper.pk])).content.decode()
        assert f'href="{url}' not in form
    elsewhere.refresh_from_db()
    reference = saved.reference(saved.Saved(elsewhere, type("Saving", (), {"said_at": NOW})(), withdrawn=False))
    assert [text for text in (bibtex([reference]), ris([reference]), csl_json([reference])) if url in text] == []


@pytest.mark.django_db
@pytest.mark.parametrize("doi", ["10.1000/a\\b", "10.1000/<b>", '10.1000/"x', "10.1000/a?b#c", "10.1000/\u202ex"])
def test_a_doi_makes_an_address_that_says_no_more_than_it(doi):
    url = Paper(doi=doi).url
    assert url.startswith("https://doi.org/10.1000/")
    assert json.dumps(url).isascii()
    assert not set(url) & set('\\<>"?#')
