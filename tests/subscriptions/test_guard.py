"""Budgets, the breaker, and who counts as one network."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from ipaddress import ip_address, ip_network
from threading import Barrier
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import connection, connections, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from subscriptions import guard, letters, lifecycle
from subscriptions.addresses import clean, folded
from subscriptions.budgets import parse_windows
from subscriptions.models import Breaker, Budget, SignupRequest, Subscriber
from subscriptions.tasks import handle_signup, handle_signups, tidy
from tests.conftest import NOW, filled, make_reader, origin
from tests.subscriptions.doors import most_in, take_clock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Kind = SignupRequest.Kind
in_the_database = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


@pytest.fixture
def wide_open(settings):
    """No limit but the one that a test is about."""
    for name in ("LETTERS_PER_ADDRESS", "LETTERS_PER_SITE", "SIGNUPS_PER_NETWORK", "SIGNUPS_PER_WIDE_NETWORK"):
        setattr(settings, name, ((DAY, 10**6),))
    settings.BREAKER_AFTER = 10**6
    return settings


# --- windows ----------------------------------------------------------------------------------------------------------

windows_ = st.lists(
    st.tuples(st.sampled_from([MINUTE, 3 * MINUTE, 10 * MINUTE, HOUR]), st.integers(0, 4)), min_size=1, max_size=3
)
steps = st.lists(
    st.one_of(
        st.timedeltas(timedelta(0), timedelta(seconds=90)),
        st.timedeltas(timedelta(0), timedelta(minutes=12)),
        st.sampled_from([MINUTE, 10 * MINUTE, 10 * MINUTE - timedelta(microseconds=1), HOUR, HOUR + MINUTE]),
    ),
    min_size=1,
    max_size=40,
)


@pytest.mark.django_db
@in_the_database
@given(windows_, steps, st.timedeltas(timedelta(0), MINUTE))
@example([(10 * MINUTE, 1)], [timedelta(0), 10 * MINUTE, timedelta(0), MINUTE], timedelta(seconds=59))
def test_no_window_ever_holds_more_than_it_may_and_nothing_is_refused_that_had_room(wide_open, windows, steps, start):
    wide_open.LETTERS_PER_ADDRESS = tuple(windows)
    Budget.objects.all().delete()
    now, granted, refused = NOW + start, [], []
    for step in steps:
        now += step
        refusal = guard.grant_letter("ana@example.org", now)
        if refusal is None:
            granted.append(now)
        else:
            refused.append((now, list(granted)))
            assert (refusal.window, refusal.most) in windows
            held = sum(now - at < refusal.window + MINUTE for at in granted)
            assert held >= refusal.most, "the window that is named is one that is full"
    for window, most in windows:
        assert most_in(granted, window) <= most
    for at, before in refused:
        assert any(sum(at - one < window + MINUTE for one in before) >= most for window, most in windows)
    counted = Budget.objects.filter(kind="address").aggregate(granted=Sum("granted"), refused=Sum("refused"))
    assert (counted["granted"] or 0, counted["refused"] or 0) == (len(granted), len(refused))


@pytest.mark.django_db
@in_the_database
@given(st.lists(st.integers(0, 3 * 3600), min_size=1, max_size=40))
def test_clocks_that_disagree_grant_no_letter_more(wide_open, seconds):
    wide_open.LETTERS_PER_ADDRESS = ((HOUR, 2),)
    Budget.objects.all().delete()
    instants = [NOW + timedelta(seconds=at) for at in seconds]  # in any order: two machines, a clock set back
    granted = sorted(at for at in instants if guard.grant_letter("ana@example.org", at) is None)
    assert most_in(granted, HOUR) <= 2


@pytest.mark.django_db
def test_a_reminder_is_one_a_day_beside_the_letters(wide_open):
    assert guard.grant_letter("ana@example.org", NOW, reminder=True) is None
    refusal = guard.grant_letter("ana@example.org", NOW + 23 * HOUR, reminder=True)
    assert (refusal.kind, str(refusal)) == ("reminder", "already subscribed: 1 in 1 d")
    assert guard.grant_letter("ana@example.org", NOW + 23 * HOUR) is None
    assert guard.grant_letter("ana@example.org", NOW + 24 * HOUR + MINUTE, reminder=True) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3/90m", "Address: 3 in 90 m"),
        ("3/2h", "Address: 3 in 2 h"),
        ("3/24h", "Address: 3 in 1 d"),
        ("0/30d", "Address: 0 in 30 d"),
    ],
)
def test_a_refusal_says_its_limit_as_an_operator_writes_it(text, said):
    ((window, most),) = parse_windows(text)
    assert str(guard.Refusal(Budget.Kind.ADDRESS, most, window)) == said


def granted():
    return {row["kind"]: row["n"] for row in Budget.objects.values("kind").annotate(n=Sum("granted")).order_by()}


@pytest.mark.django_db
def test_where_one_budget_refuses_none_is_spent(wide_open):
    wide_open.LETTERS_PER_SITE = ((HOUR, 1),)
    assert guard.grant_letter("ana@example.org", NOW) is None
    for _ in range(3):
        assert guard.grant_letter("bo@example.org", NOW, reminder=True).kind == "site"
    assert granted() == {"address": 1, "site": 1}
    assert Budget.objects.get(kind="site").refused == 3
    assert guard.grant_letter("bo@example.org", NOW + HOUR + MINUTE, reminder=True) is None

    wide_open.SIGNUPS_PER_WIDE_NETWORK = ((DAY, 2),)
    assert [guard.admit(f"192.0.2.{n}", NOW) for n in range(4)] == [True, True, False, False]
    assert granted()["network"] == granted()["wide network"] == 2
    assert sum(Budget.objects.filter(kind="wide network").values_list("refused", flat=True)) == 2


@pytest.mark.django_db
def test_what_was_refused_does_not_count_so_who_waits_may_come_again(settings):
    settings.SIGNUPS_PER_NETWORK, settings.SIGNUPS_PER_WIDE_NETWORK = ((HOUR, 2),), ((DAY, 50),)
    assert [guard.admit("192.0.2.1", NOW + n * MINUTE) for n in range(30)] == [True, True] + [False] * 28
    assert guard.admit("192.0.2.1", NOW + HOUR + MINUTE)


@pytest.mark.django_db
def test_counts_that_no_window_reaches_are_swept_and_no_others(wide_open):
    wide_open.LETTERS_PER_ADDRESS = ((31 * DAY, 1),)
    assert guard.grant_letter("ana@example.org", NOW) is None
    assert guard.sweep(NOW + 31 * DAY) == 0
    assert guard.grant_letter("ana@example.org", NOW + 31 * DAY) is not None
    assert guard.grant_letter("ana@example.org", NOW + 31 * DAY + MINUTE) is None
    assert guard.sweep(NOW + 31 * DAY + MINUTE) == 2  # the address's and the site's row
    assert not Budget.objects.filter(minute__lt=NOW + MINUTE).exists()


# --- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ip", "network", "wide"),
    [
        ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        (" 192.0.2.77 ", "192.0.2.77/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:DB8:1:2::6%eth0", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("::FFFF:C000:024D", "192.0.2.77/32", "192.0.2.0/24"),
        ("::1", "::/64", "::/48"),
        ("", "", ""),
        ("unknown", "", ""),
        ("192.0.2.077", "", ""),
        ("192.0.2", "", ""),
        ("3221226061", "", ""),
        ("192.0.2.77, 198.51.100.1", "", ""),
        ("<script>", "", ""),
        ("1.2.3.4\x00", "", ""),
        ("１.2.3.4", "", ""),
    ],
)
def test_what_counts_as_one_network(ip, network, wide):
    assert (guard.network_of(ip), guard.wide_network_of(ip)) == (network, wide)


@given(st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_every_address_lies_in_its_network_and_its_network_in_its_wide_one(four, six):
    for ip, bits, wide_bits in ((four, 32, 24), (six, 64, 48)):
        if ip.version == 6 and ip.ipv4_mapped:
            continue
        network, wide = ip_network(guard.network_of(str(ip))), ip_network(guard.wide_network_of(str(ip)))
        assert (network.prefixlen, wide.prefixlen) == (bits, wide_bits)
        assert ip in network
        assert network.subnet_of(wide)
    mapped = str(ip_address(f"::ffff:{four}"))
    assert guard.network_of(mapped) == guard.network_of(str(four))


@given(st.text())
def test_no_text_in_a_header_breaks_the_counting_of_networks(text):
    assert guard.network_of(text) in {"", guard.network_of(text.strip())}
    assert len(guard.network_hash(text)) == 64


def request_from(remote, forwarded=None):
    meta = {"REMOTE_ADDR": remote}
    if forwarded is not None:
        meta["HTTP_X_FORWARDED_FOR"] = forwarded
    return SimpleNamespace(META=meta)


@pytest.mark.parametrize(
    ("hops", "forwarded", "ip"),
    [
        (0, None, "10.0.0.1"),
        (0, "203.0.113.9", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1,2.2.2.2 , 203.0.113.9 ", "203.0.113.9"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, None, "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "unknown", "10.0.0.1"),
        (1, "1.1.1.1, unknown", "10.0.0.1"),
        (2, "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1"),
        (2, "1.1.1.1, garbage, 10.0.0.2", "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_wrote_says_where_a_request_came_from(settings, hops, forwarded, ip):
    settings.PROXY_HOPS = hops
    assert guard.client_ip(request_from("10.0.0.1", forwarded)) == ip


@given(st.text(), st.ip_addresses(), st.integers(1, 3), st.lists(st.ip_addresses(v=4), min_size=3, max_size=3))
def test_nobody_can_write_the_network_that_is_counted(spoofed, seen, hops, proxies):
    header = ",".join([spoofed, str(seen), *map(str, proxies[: hops - 1])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.PROXY_HOPS", hops)
        assert guard.client_ip(request_from("10.0.0.1", header)) == str(seen)


@pytest.mark.django_db
def test_a_spoofed_header_buys_no_second_budget(client, nudges, settings):
    settings.PROXY_HOPS, settings.SIGNUPS_PER_NETWORK = 1, ((HOUR, 2),)
    answers = [
        client.post(
            "/link/",
            filled("ana@example.org"),
            HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 203.0.113.9",
        ).status_code
        for n in range(4)
    ]
    assert answers == [303, 303, 429, 429]


# --- folding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("Ana@Example.org", "ana@example.org"),
        ("ana+papers@example.org", "ana@example.org"),
        ("ana+a+b@example.org", "ana@example.org"),
        ("a.na@example.org", "a.na@example.org"),
        ("a.n.a+x@gmail.com", "ana@gmail.com"),
        ("a.na@GoogleMail.com", "ana@gmail.com"),
        ("+ana@example.org", "+ana@example.org"),
        ("a.na@notgmail.com", "a.na@notgmail.com"),
    ],
)
def test_spellings_of_one_mailbox_are_counted_as_one(address, counted):
    assert folded(address) == counted
    assert folded(folded(address)) == counted


@given(st.emails())
def test_folding_never_meets_two_mailboxes_and_is_for_counting_only(address):
    try:
        kept = clean(address)
    except ValueError:
        return
    assert kept == address.lower() or not address.isascii()
    local, _, domain = folded(kept).rpartition("@")
    assert domain == kept.rpartition("@")[2].replace("googlemail.com", "gmail.com")
    assert kept.startswith(local[:1]) or "gmail.com" in domain


# --- held letters and the breaker -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_letters_over_the_sites_budget_wait_and_give_up_after_a_day(clock, wide_open, nudges):
    wide_open.LETTERS_PER_SITE = ((24 * HOUR, 1),)
    letters.ask(Kind.SIGN_UP, "first@example.org", NOW - HOUR)
    second = letters.ask(Kind.SIGN_UP, "second@example.org", NOW)
    handle_signups()
    second.refresh_from_db()
    assert [m.to for m in mail.outbox] == [["first@example.org"]]
    assert (second.handled_at, second.reason) == (None, "Site: 1 in 1 d")
    assert letters.waiting(clock.push(minutes=9)) == []
    assert letters.waiting(clock.push(minutes=1)) == [second.pk]
    while letters.waiting(clock.push(minutes=30)) and clock.instant < NOW + 23 * HOUR:
        handle_signups()
        second.refresh_from_db()
        assert second.handled_at is None
    assert not granted().get("address", 0) > 1, "a letter that waits spends nothing"
    clock.instant = NOW + 24 * HOUR
    handle_signups()
    second.refresh_from_db()
    assert (second.outcome, len(mail.outbox)) == ("held too long", 1)
    assert not Subscriber.objects.filter(email="second@example.org").exists(), (
        "an address that got no letter is not kept"
    )


@pytest.mark.django_db
def test_a_letter_that_waited_leaves_when_there_is_room(clock, wide_open, nudges):
    wide_open.LETTERS_PER_SITE = ((HOUR, 1),)
    for name in ("first", "second"):
        letters.ask(Kind.SIGN_UP, f"{name}@example.org", NOW)
    handle_signups()
    for _ in range(7):
        clock.push(minutes=10)
        handle_signups()
    assert [m.to for m in mail.outbox] == [["first@example.org"], ["second@example.org"]]


def send_confirmations(number, confirmed, clock):
    """So many confirmation mails, some of them confirmed, half an hour ago."""
    for n in range(number):
        asked = letters.ask(Kind.SIGN_UP, f"reader{clock.instant:%d%H%M}{n}@example.org", clock.instant)
        handle_signup(asked.pk)
        if n < confirmed:
            asked.refresh_from_db()
            lifecycle.confirm(asked, clock.instant + 5 * MINUTE, origin())
    clock.push(minutes=30)


@pytest.fixture
def operators(wide_open):
    wide_open.ADMINS = [("", "operator@example.net")]
    wide_open.BREAKER_AFTER, wide_open.BREAKER_SHARE, wide_open.BREAKER_HOURS = 20, 0.1, 6
    return "operator@example.net"


def alerts():
    return [m for m in mail.outbox if m.to == ["operator@example.net"]]


@pytest.mark.django_db
def test_the_breaker_opens_when_nobody_confirms_tells_once_and_closes_by_itself(clock, operators, nudges):
    send_confirmations(20, 1, clock)
    tidy()
    opened = Breaker.objects.get()
    assert (opened.is_open, opened.reason) == (True, "1 of 20 confirmation mails were confirmed")
    for _ in range(5):
        clock.push(minutes=1)
        tidy()
    assert [m.subject for m in alerts()] == ["[Daily Papers] Confirmation mails are held"]
    assert "@" not in alerts()[0].body

    before = len(mail.outbox)
    held = letters.ask(Kind.SIGN_UP, "held@example.org", clock.instant)
    handle_signup(held.pk)
    held.refresh_from_db()
    assert (held.handled_at, held.reason, len(mail.outbox)) == (None, "the breaker is open", before)
    assert not granted_to("held@example.org")

    clock.instant = opened.opened_at + 6 * HOUR + MINUTE
    tidy()
    opened.refresh_from_db()
    assert (opened.is_open, opened.closed_by, opened.closed_at) == (False, "by itself", clock.instant)
    handle_signups()
    assert mail.outbox[-1].to == ["held@example.org"]
    clock.push(minutes=30)
    tidy()
    assert not Breaker.objects.filter(is_open=True).exists(), "what was mailed before is not held against it again"


def granted_to(email):
    key = guard.keyed_hash(f"address {folded(email)}")
    return Budget.objects.filter(kind="address", key=key, granted__gt=0).exists()


@pytest.mark.django_db
def test_the_breaker_holds_confirmations_only_and_gives_up_after_a_day(clock, operators, nudges):
    reader = make_reader("known")
    Breaker.objects.create(opened_at=NOW, reason="test")
    operators_pick = letters.ask(Kind.LINK, reader.email, NOW)
    held = letters.ask(Kind.SIGN_UP, "held@example.org", NOW)
    handle_signups()
    assert [m.to for m in mail.outbox] == [[reader.email]]
    operators_pick.refresh_from_db()
    assert operators_pick.outcome == "link sent"
    clock.instant = NOW + DAY
    Breaker.objects.update(opened_at=clock.instant)
    handle_signups()
    held.refresh_from_db()
    assert (held.outcome, held.reason) == ("held too long", "the breaker is open")


@pytest.mark.django_db
def test_an_operator_closes_the_breaker_by_hand_and_it_opens_for_new_mails_only(clock, operators, nudges):
    send_confirmations(20, 0, clock)
    breaker = guard.watch(clock.instant)
    guard.close(breaker, clock.instant, "o" * 200)
    breaker.refresh_from_db()
    assert (breaker.is_open, breaker.closed_by) == (False, "o" * 150)
    assert not guard.is_open(clock.instant)
    assert guard.watch(clock.push(minutes=1)) is None
    send_confirmations(20, 1, clock)
    assert guard.watch(clock.instant) is not None
    assert Breaker.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "confirmed", "opens"), [(19, 0, False), (20, 2, False), (20, 1, True), (40, 4, False)]
)
def test_the_breaker_opens_below_its_share_and_from_its_number_on(clock, operators, nudges, sent, confirmed, opens):
    send_confirmations(sent, confirmed, clock)
    assert (guard.watch(clock.instant) is not None) == opens


@pytest.mark.django_db
def test_a_mail_server_that_is_away_keeps_no_breaker_from_opening(clock, operators, nudges, settings):
    send_confirmations(20, 0, clock)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    tidy()
    assert Breaker.objects.filter(is_open=True).exists()


# --- many at once -----------------------------------------------------------------------------------------------------

AT_ONCE = 8


@pytest.fixture
def at_once(tmp_path, transactional_db):
    """Runs a function in threads, each with a connection of its own that waits for the others as in production."""
    kind, configured = type(connections["default"]), dict(connection.settings_dict)
    if connection.vendor == "sqlite":  # threads that share an in-memory database know no waiting; a file does
        configured["NAME"] = str(tmp_path / "together.sqlite3")
        with closing(type(connection.connection)(configured["NAME"])) as copy:
            connection.connection.backup(copy)
            # As an installation's file is since its first connection: eight that switch it at once do not all get it.
            copy.execute("PRAGMA journal_mode=WAL")

    def run(work, arguments):
        start = Barrier(AT_ONCE)

        def in_a_thread(argument):
            own = connections["default"] = kind(configured, "default")
            try:
                start.wait()
                return work(argument)
            finally:
                own.close()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(in_a_thread, arguments))

    return run


@pytest.mark.parametrize("left", [1, 5])
def test_eight_workers_spend_the_last_of_a_budget_once(at_once, wide_open, left):
    wide_open.LETTERS_PER_ADDRESS = ((DAY, left),)
    answers = at_once(lambda _: guard.grant_letter("ana@example.org", NOW), range(AT_ONCE))
    assert sum(answer is None for answer in answers) == left
    assert all(answer is None or answer.kind == "address" for answer in answers)


def test_eight_workers_spend_the_last_of_the_sites_budget_once(at_once, wide_open):
    wide_open.LETTERS_PER_SITE = ((HOUR, 3),)
    answers = at_once(lambda n: guard.grant_letter(f"reader{n}@example.org", NOW), range(AT_ONCE))
    assert sum(answer is None for answer in answers) == 3


def test_eight_posts_of_one_network_spend_the_last_of_its_budget_once(at_once, wide_open):
    wide_open.SIGNUPS_PER_NETWORK = ((HOUR, 5),)
    assert sum(at_once(lambda _: guard.admit("192.0.2.1", NOW), range(AT_ONCE))) == 5


def test_eight_workers_whose_clocks_stand_at_the_turn_of_a_minute_send_one_letter(at_once, wide_open):
    wide_open.LETTERS_PER_ADDRESS = ((10 * MINUTE, 1),)

    def claim(number):
        now = NOW + (number % 4) * MINUTE
        with transaction.atomic():
            guard.one_at_a_time("ana@example.org")
            return guard.grant_letter("ana@example.org", now) is None

    assert sum(at_once(claim, range(AT_ONCE))) == 1
