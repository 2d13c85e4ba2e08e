"""Spellings of one mailbox are one, two mailboxes are two; and which domains have a budget of their own."""

import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from subscriptions.addresses import clean, counted_domain, folded, is_role
from subscriptions.mailboxes import LARGE, PROVIDERS, owner_of
from tests.conftest import make_reader

names = st.text(string.ascii_lowercase + string.digits, min_size=2, max_size=12).filter(lambda name: name[0].isalpha())
tags = st.text(string.ascii_lowercase + string.digits + "-_.+", max_size=8).map(lambda tag: tag.strip("."))
providers = st.sampled_from(PROVIDERS)
# Domains of nobody's rules, and of providers whose mailboxes are told apart by every character.
others = st.sampled_from(["example.org", "outlook.com", "hotmail.com", "gmx.de", "mail.ru", "uni-berlin.example"])


@st.composite
def spellings(draw, provider):
    """A mailbox of this provider, and one of its spellings as the provider's rules have it."""
    name = draw(names)
    if provider.alike:
        name = provider.alike[0].join([name, draw(names)])
    domain = draw(st.sampled_from(provider.domains))
    local = name
    if provider.ignored:
        signs = st.sampled_from(["", "", *provider.ignored])
        local = name[0] + "".join(draw(signs) + letter for letter in name[1:])
    if provider.alike:
        local = "".join(draw(st.sampled_from(provider.alike)) if sign in provider.alike else sign for sign in local)
    ends = [f"+{draw(tags)}", ""] + ([f"{provider.tag}{draw(tags)}"] if provider.tag else [])
    local += draw(st.sampled_from(ends))
    if provider.subdomains and draw(st.booleans()):
        host = name.replace("_", "-")
        local, domain = draw(names), f"{host}.{domain}"
    if provider.one_namespace:
        home = draw(st.sampled_from(provider.domains))
    else:
        home = domain if domain in provider.domains else domain.partition(".")[2]
    upper = draw(st.booleans())
    spelt = f"{local}@{domain}"
    return f"{name}@{home}", spelt.upper() if upper else spelt


@given(st.data(), providers)
def test_every_spelling_by_the_providers_own_rules_is_counted_as_the_mailbox(data, provider):
    mailbox, spelt = data.draw(spellings(provider))
    assert folded(spelt) == folded(mailbox), spelt
    assert folded(folded(spelt)) == folded(spelt)


@given(names, names, st.text("._-", max_size=3), tags, others)
def test_where_no_rule_is_known_every_character_tells_mailboxes_apart(one, two, signs, tag, domain):
    assert folded(f"{one}{signs}{two}+{tag}@{domain}") == f"{one}{signs}{two}@{domain}"


@given(st.data(), providers, names, names)
def test_two_names_are_two_mailboxes_at_every_provider(data, provider, one, two):
    assume(one != two)
    domain, other = (data.draw(st.sampled_from(provider.domains)) for _ in range(2))
    assert folded(f"{one}@{domain}") != folded(f"{two}@{other}")
    assert (folded(f"{one}@{domain}") == folded(f"{one}@{other}")) == (provider.one_namespace or domain == other)


@given(names, st.sampled_from(sorted({domain for provider in PROVIDERS for domain in provider.domains})))
def test_a_name_at_two_providers_is_two_mailboxes(name, domain):
    own = next(provider for provider in PROVIDERS if domain in provider.domains)
    for provider in PROVIDERS:
        if provider is not own:
            assert folded(f"{name}@{domain}") != folded(f"{name}@{provider.domains[0]}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.na-ex_emplar+x@protonmail.com", "anaexemplar@proton.me"),
        ("shop@ana.fastmail.com", "ana@fastmail.com"),
        ("shop@ana-b.fastmail.fm", "ana_b@fastmail.fm"),
        ("ana+shop@icloud.com", "ana@me.com"),
        ("ana@mac.com", "ana@icloud.com"),
        ("ana-b@ya.ru", "ana.b@yandex.com"),
        ("ana+x@yandex.by", "ana@yandex.ru"),
        ("ana-shop@yahoo.co.uk", "ana@yahoo.co.uk"),
        ("a.n.a@googlemail.com", "ana+x@gmail.com"),
        ("ana+shop@outlook.com", "ana@outlook.com"),
        ("one@ana.anonaddy.com", "two@ana.anonaddy.com"),
    ],
)
def test_these_are_one_mailbox(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.na@outlook.com", "ana@outlook.com"),
        ("ana-b@gmail.com", "anab@gmail.com"),
        ("ana_b@gmail.com", "anab@gmail.com"),
        ("a.na@icloud.com", "ana@icloud.com"),
        ("a.na@yandex.ru", "ana@yandex.ru"),
        ("ana_b@yandex.ru", "ana-b@yandex.ru"),
        ("ana-b@yahoo.co.jp", "ana-c@yahoo.co.jp"),
        ("ana@hotmail.com", "ana@outlook.com"),
        ("ana@fastmail.com", "ana@fastmail.fm"),
        ("ana@mail.ru", "ana@bk.ru"),
        ("shop@ana.example.org", "ana@example.org"),
        ("shop@ana.gmail.com", "ana@gmail.com"),
        ("a-b@protonmail.example", "ab@protonmail.example"),
        ("x@notfastmail.com", "y@notfastmail.com"),
    ],
)
def test_these_are_two_mailboxes(one, other):
    assert folded(one) != folded(other)


@given(st.sampled_from(PROVIDERS), st.text("._-+", min_size=1, max_size=6))
def test_what_is_all_signs_folds_to_something_and_never_to_nobody(provider, signs):
    assert folded(f"{signs}@{provider.domains[0]}").rpartition("@")[0]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.domains[0])
def test_every_rule_names_its_source_and_its_domains_once(provider):
    assert re.fullmatch(r"https?://\S+", provider.source)
    assert all(clean(f"ana@{domain}") for domain in provider.domains)
    every = [domain for one in PROVIDERS for domain in one.domains]
    assert len(every) == len(set(every))
    assert set(provider.domains) <= LARGE


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("example.org", "example.org"),
        ("mail.cs.example.org", "example.org"),
        ("cs.example.ac.uk", "example.ac.uk"),
        ("example.co.jp", "example.co.jp"),
        ("x.y.example.com.br", "example.com.br"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a.co.example", "co.example"),
    ],
)
def test_names_below_a_domain_are_its_owners(domain, owner):
    assert owner_of(domain) == owner


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("ana@gmail.com", ""),
        ("ana@hotmail.co.uk", ""),
        ("shop@ana.fastmail.com", ""),
        ("ana@example.org", "example.org"),
        ("ana@one.example.org", "example.org"),
        ("ana@nothing.gmail.com", "gmail.com"),  # nobody's mailbox is there, whoever types it
    ],
)
def test_which_domain_is_counted(address, domain):
    assert counted_domain(address) == domain


@pytest.mark.parametrize(
    "address", ["post.master@proton.me", "no.reply@gmail.com", "no-reply@yahoo.com", "abuse+x@a.org"]
)
def test_an_address_of_a_function_is_one_in_every_spelling(address):
    assert is_role(address)


@pytest.mark.django_db
def test_mail_goes_to_the_address_as_it_was_typed():
    assert make_reader("a.b").email == "a.b@example.org"
    assert clean("A.na+Papers@Proton.me") == "a.na+papers@proton.me"
