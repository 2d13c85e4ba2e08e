import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.health.names import How
from digest.health.spf import spf
from digest.health.verdict import State
from tests.digest.health.dns import zone

DOMAIN = "example.org"


def judge(record, more=None):
    return spf(DOMAIN, zone({f"{DOMAIN} TXT": [record], **(more or {})}))


@pytest.mark.parametrize(
    ("record", "state", "words"),
    [
        ("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", State.OK, "0 of 10 look-ups, ends in -all"),
        ("v=spf1 ip4:192.0.2.1 ~all", State.OK, "ends in ~all"),
        ("V=SPF1 IP4:192.0.2.1 -ALL", State.OK, "0 of 10"),
        ("v=spf1 a:mail.example.org/28//64 -all", State.OK, "1 of 10"),
        ("v=spf1 ip4:192.0.2.1 exp=explain.%{d} -all", State.OK, "0 of 10"),
        ("v=spf1 ip4:192.0.2.1 ?all", State.WARNING, "ends in ?all"),
        ("v=spf1 ip4:192.0.2.1", State.WARNING, "ends in nothing"),
        ("v=spf1", State.WARNING, "ends in nothing"),
        ("v=spf1 ptr -all", State.WARNING, "should not be used"),
        ("v=spf1 +all", State.FAULT, "anybody"),
        ("v=spf1 all", State.FAULT, "anybody"),
        ("v=spf1 ipv4:192.0.2.1 -all", State.FAULT, "cannot be read"),
        ("v=spf1 include: -all", State.FAULT, "cannot be read"),
        ("v=spf1 ip4 -all", State.FAULT, "cannot be read"),
        ("v=spf1 a:mail.example.org ip4:192.0.2.7/24 -all", State.OK, "1 of 10"),
        ("v=spf1 exists:%{l1r/-}.example.org -all", State.OK, "1 of 10"),
        *(
            (f"v=spf1 {term} -all", State.FAULT, "cannot be read")
            for term in (
                *("a:", "mx:/24", "a/33", "mx//129", "a:mail.example.org/", "include:x.example/24", "ptr/24"),
                *("ip4:300.1.1.1", "ip4:192.0.2", "ip4:192.0.2.0/33", "ip4:192.0.2.0//24", "ip4:2001:db8::1", "ip4:"),
                *("ip6:192.0.2.1", "ip6:2001:db8::/129", "ip6:fe80::1%eth0", "ip6:2001:db8:::1"),
                *("~all:x", "all/8", "redirect=", "exp="),
            )
        ),
        ("v=spf1 -all ipv4:192.0.2.1", State.FAULT, "cannot be read"),
        ("v=spf1 -all a:", State.FAULT, "cannot be read"),
        ("v=spf1 include:nowhere.example -all", State.FAULT, "no SPF records"),
        ("v=spf1 include:example.org -all", State.FAULT, "includes itself"),
    ],
)
def test_a_record_is_judged_as_a_receiver_would(record, state, words):
    verdict = judge(record, {"mail.example.org A": ["192.0.2.1"]})
    assert (verdict.state, words in verdict.said) == (state, True), verdict


def test_what_follows_all_is_not_asked_for():
    verdict = judge("v=spf1 -all include:nowhere.example +all")
    assert (verdict.state, "0 of 10 look-ups, ends in -all" in verdict.said) == (State.OK, True)


def test_a_mistake_behind_all_in_an_included_record_is_a_mistake_of_ours():
    more = {"_spf.example.net TXT": ["v=spf1 -all ip4:1.2.3"]}
    assert judge("v=spf1 include:_spf.example.net -all", more).state == State.FAULT


def test_redirect_takes_the_end_of_the_other_record_and_costs_a_look_up():
    verdict = judge("v=spf1 redirect=_spf.example.net", {"_spf.example.net TXT": ["v=spf1 ip4:192.0.2.1 -all"]})
    assert verdict.state == State.OK
    assert "1 of 10 look-ups, ends in -all" in verdict.said


def test_redirect_does_not_count_beside_all():
    assert "0 of 10" in judge("v=spf1 redirect=nowhere.example ~all").said


def test_the_end_of_an_included_record_is_not_the_end_of_ours():
    verdict = judge("v=spf1 include:_spf.example.net", {"_spf.example.net TXT": ["v=spf1 ip4:192.0.2.1 -all"]})
    assert "ends in nothing" in verdict.said


@pytest.mark.parametrize(("number", "state"), [(10, State.OK), (11, State.FAULT)])
def test_ten_look_ups_are_allowed_counted_through_includes(number, state):
    """One include that holds the rest: 1 + (number - 1)."""
    inner = " ".join(f"a:h{n}.example.net" for n in range(number - 1))
    hosts = {f"h{n}.example.net A": ["192.0.2.1"] for n in range(number)}
    verdict = judge("v=spf1 include:_spf.example.net -all", {"_spf.example.net TXT": [f"v=spf1 {inner} -all"], **hosts})
    assert verdict.state == state
    assert f"{number} of 10" in verdict.said


def test_every_kind_of_look_up_counts():
    record = "v=spf1 a mx exists:%{i}.example.net ptr include:_spf.example.net redirect=_r.example.net"
    more = {
        "example.org A": ["192.0.2.1"],
        "example.org MX": ["10 mail.example.org."],
        "_spf.example.net TXT": ["v=spf1 ~all"],
        "_r.example.net TXT": ["v=spf1 -all"],
    }
    assert "6 of 10" in judge(record, more).said


@pytest.mark.parametrize(("number", "state"), [(2, State.OK), (3, State.FAULT)])
def test_two_look_ups_may_find_nothing(number, state):
    names = " ".join(f"a:gone{n}.example.net" for n in range(number - 1))
    verdict = judge(f"v=spf1 {names} mx:gone.example.net -all")
    assert verdict.state == state


def test_an_address_in_one_family_is_no_void_look_up():
    names = " ".join(f"a:six{n}.example.net" for n in range(3))
    more = {f"six{n}.example.net AAAA": ["2001:db8::1"] for n in range(3)}
    assert judge(f"v=spf1 {names} -all", more).state == State.OK


def test_records_that_include_each_other_end():
    loop = {"a.example TXT": ["v=spf1 include:b.example -all"], "b.example TXT": ["v=spf1 include:a.example -all"]}
    verdict = judge("v=spf1 include:a.example -all", loop)
    assert verdict.state == State.FAULT
    assert "includes itself" in verdict.said


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (["v=spf1 -all", "v=spf1 ~all"], State.FAULT, "2 SPF records"),
        (["v=spf10 -all", "other"], State.FAULT, "no SPF record"),
        (How.NO_RECORD, State.FAULT, "no such record"),
        (How.NO_NAME, State.FAULT, "NXDOMAIN"),
        (How.FAILED, State.WARNING, "SERVFAIL"),
        (How.TIMEOUT, State.NOT_CHECKED, "in time"),
        (How.UNREACHABLE, State.NOT_CHECKED, "from this machine"),
    ],
)
def test_none_two_and_silence_have_words_of_their_own(found, state, words):
    verdict = spf(DOMAIN, zone({f"{DOMAIN} TXT": found}))
    assert (verdict.state, words in verdict.said) == (state, True), verdict


def test_silence_of_an_included_name_is_no_verdict_on_the_record():
    assert judge("v=spf1 include:slow.example -all", {"slow.example TXT": How.TIMEOUT}).state == State.NOT_CHECKED
    assert judge(
        "v=spf1 a:slow.example -all", {"slow.example A": How.FAILED, "slow.example AAAA": How.FAILED}
    ).state == (State.WARNING)


TERMS = st.sampled_from(
    ["-all", "a", "mx", "include:example.org", "include:b.example", "redirect=b.example", "ip4:1.2.3.4", "exists:%{i}"]
)


@given(st.lists(TERMS | st.text(max_size=8)), st.lists(TERMS | st.text(max_size=8)))
def test_any_record_gets_a_verdict(ours, theirs):
    verdict = judge("v=spf1 " + " ".join(ours), {"b.example TXT": ["v=spf1 " + " ".join(theirs)]})
    assert verdict.said
    assert verdict.remedy or verdict.state in {State.OK, State.NOT_CHECKED}
