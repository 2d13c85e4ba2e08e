"""Walks the table of docs/readers.md at random, beside a model of a few dictionaries."""

from datetime import time, timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from subscriptions import letters, lifecycle, links, privacy, tasks
from subscriptions.addresses import address_hash
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, Interest, SignupRequest, Subscriber, Suppression, Topic
from tests.conftest import NOW, make_reader, origin
from tests.profiles import fewer
from tests.subscriptions.doors import most_in, take_clock

ADDRESSES = ("ana@example.org", "bo@example.org")
PERSONS_NO = {"complaint", "it was not me"}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOWS = ((10 * MINUTE, 1), (DAY, 3), (30 * DAY, 5))  # letters to one address
LINK_LIVES = timedelta(hours=72)


class Readers(RuleBasedStateMachine):
    """Two addresses, everything that can happen to them, and what should have become of them."""

    clock = None  # set by the test
    asked = Bundle("asked")

    def __init__(self):
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.clock.instant = NOW
        mail.outbox.clear()
        self.topic = Topic.objects.create(slug="robotics", name="Robotics", description="Robots.")
        self.busy = False  # a mail of every reader is on the wire
        privacy.register("wire", privacy.Part(lambda reader: None, self.wire))
        self.readers = {}  # by number
        self.requests = {}  # by number
        self.stops: dict = {address: {} for address in ADDRESSES}  # reason -> its end, or None
        self.sent: dict = {address: [] for address in ADDRESSES}
        self.told_already: dict = {address: [] for address in ADDRESSES}
        self.events = {}  # by number, as they must stay
        self.client = Client(raise_request_exception=True)

    def teardown(self):
        privacy._parts.pop("wire")
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def wire(self, reader, now):
        if self.busy:
            raise privacy.NotYet

    # --- the model -----------------------------------------------------------------------------------------------

    @property
    def now(self):
        return self.clock.instant

    def at(self, address):
        return next((r for r in self.readers.values() if r.address == address), None)

    def is_stopped(self, address, reasons=None):
        return any(
            (end is None or end > self.now) and (reasons is None or reason in reasons)
            for reason, end in self.stops[address].items()
        )

    def is_active(self, reader):
        paused = reader.paused_until is not None and reader.paused_until > self.now
        return reader.state == "active" and not paused and not self.is_stopped(reader.address)

    def has_room(self, instants, windows):
        return all(sum(self.now - at <= window for at in instants) < most for window, most in windows)

    def leave(self, reader, pressed=False):
        """The kinds of events that this leaves. Only a leaving that the reader pressed can be taken back."""
        if reader.state == "unsubscribed":
            return []
        reader.state, reader.left_at, reader.pressed = "unsubscribed", self.now, pressed
        return ["withdrawn"]

    def gone(self, reader):
        del self.readers[reader.pk]
        self.requests = {
            pk: one for pk, one in self.requests.items() if one.address != reader.address and one.reader != reader.pk
        }

    def saw(self, *kinds, forgot=(), dropped=()):
        """Each change left exactly its events; those before are as they were."""
        before, now = self.events, {row["id"]: row for row in ConsentEvent.objects.values()}
        for pk, row in before.items():
            if row["subscriber_id"] in dropped:
                assert pk not in now
                continue
            if row["subscriber_id"] in forgot:
                row.update(subscriber_id=None, where="", network="", token="", wording_id=None)
            assert now.get(pk) == row, "an event of consent is never changed"
        new = [row for pk, row in sorted(now.items()) if pk not in before]
        assert [row["kind"] for row in new] == list(kinds)
        assert all(row["at"] == self.now for row in new)
        for row in new:
            if row["subscriber_id"] is None:
                assert (row["where"], row["network"], row["token"], row["wording_id"]) == ("", "", "", None)
        self.events = now

    def some(self, data, wanted=lambda reader: True):
        """One of the readers, or none where no one will do."""
        fitting = [reader for reader in self.readers.values() if wanted(reader)]
        return data.draw(st.sampled_from(fitting)) if fitting else None

    def row(self, reader):
        return Subscriber.objects.get(pk=reader.pk)

    @initialize(target=asked, second=st.sampled_from(["nobody", "pending", "active", "unsubscribed"]))
    def there_are_readers(self, second):
        first = self.somebody_signs_up(ADDRESSES[0], 11)
        if second == "nobody":
            return first
        other = self.somebody_types(ADDRESSES[1], "sign-up")
        self.handle(other)
        if second != "pending":
            self.press_confirm(other)
        if second == "unsubscribed":
            reader = self.at(ADDRESSES[1])
            assert lifecycle.unsubscribe(self.row(reader), self.now, origin())
            self.saw(*self.leave(reader))
        return multiple(first, other)

    # --- letters -------------------------------------------------------------------------------------------------

    @rule(
        target=asked, address=st.sampled_from(ADDRESSES), kind=st.sampled_from(["sign-up", "sign-up", "link", "import"])
    )
    def somebody_types_an_address(self, address, kind):
        return self.somebody_types(address, kind)

    def somebody_types(self, address, kind):
        row = letters.ask(SignupRequest.Kind(kind), address, self.now)
        self.requests[row.pk] = SimpleNamespace(
            pk=row.pk,
            address=address,
            kind=kind,
            asked_at=self.now,
            reader=None,
            mailed_at=None,
            name="",
            done=False,
            free_at=NOW,
        )
        self.saw()
        return row.pk

    @rule(
        target=asked, data=st.data(), address=st.sampled_from(ADDRESSES), at_once=st.sampled_from([True, True, False])
    )
    def a_reader_asks_for_another_address(self, data, address, at_once):
        reader = self.some(data, lambda r: r.erase_asked is None)
        if reader is None:
            return multiple()
        pk = self.ask_move(reader, address)
        if at_once:
            self.handle(pk)
            self.press_move(pk)
        return pk

    def ask_move(self, reader, address):
        row = letters.ask(SignupRequest.Kind.MOVE, address, self.now, subscriber=self.row(reader))
        self.requests[row.pk] = SimpleNamespace(
            pk=row.pk, address=address, kind="new address", asked_at=self.now, reader=reader.pk, mailed_at=None,
            name="", done=False, free_at=NOW,
        )  # fmt: skip
        self.saw()
        return row.pk

    @rule(asked=asked)
    def a_worker_handles_a_request(self, asked):
        self.handle(asked)

    def handle(self, pk):
        before = len(mail.outbox)
        tasks.handle_signup(pk)
        left = mail.outbox[before:]
        one = self.requests.get(pk)
        if one is None or one.done or one.free_at > self.now:
            assert not left, "a request is handled once, and not while it is held"
            self.saw()
            return
        name = self.letter(one)
        if self.is_stopped(one.address, PERSONS_NO) or name is None:
            one.done = True
        elif not self.has_room(self.sent[one.address], WINDOWS[:1]) and name != "moved":
            one.done = not self.may_wait(one)
        elif not (name == "moved" or self.has_room(self.sent[one.address], WINDOWS)) or (
            name == "already" and not self.has_room(self.told_already[one.address], [(DAY, 1)])
        ):
            one.done = True
        else:
            one.done = bool(left)
            assert left, "nothing keeps this letter back"
        if not left:
            self.saw()
            return
        assert [message.to for message in left] == [[one.address]]
        assert left[0].extra_headers["Message-ID"].startswith(f"<{name}-{pk}.")  # then what no other database has
        if name != "moved":
            self.sent[one.address].append(self.now)
        one.name, one.mailed_at = name, self.now
        reader = self.at(one.address)
        if name == "already":
            self.told_already[one.address].append(self.now)
        if name == "confirm" and reader is None:
            row = Subscriber.objects.get(email=one.address)
            reader = self.readers[row.pk] = SimpleNamespace(
                pk=row.pk, address=one.address, state="pending", paused_until=None, confirmed=False, left_at=None,
                erase_asked=None, pressed=False, limit=10, weekly=False, made_at=self.now,
            )  # fmt: skip
        one.reader = one.reader or reader.pk
        self.saw(*(["requested"] if name == "confirm" else []))

    def may_wait(self, one):
        """For some minutes, one of a kind for each address; a day at most, but for an import."""
        others = [r for r in self.requests.values() if (r.address, r.kind, r.done) == (one.address, one.kind, False)]
        if any(other.free_at > self.now for other in others):
            return False
        one.free_at = self.now + 10 * DAY / 1440
        return one.kind == "import" or self.now - one.asked_at < DAY

    def letter(self, one):
        reader = self.at(one.address)
        if one.kind == "new address":
            other = reader is not None and reader.pk != one.reader and reader.state == "active"
            return "already" if other else "move"
        if one.kind == "address changed":
            return "moved"
        if one.kind == "link" and reader is None:
            return None
        if one.kind == "link" and reader.state != "pending":
            return "link"
        known = reader and reader.state == "active" and not self.is_stopped(one.address)
        return "already" if known else "confirm"

    # --- what readers press --------------------------------------------------------------------------------------

    @rule(asked=asked)
    def confirm(self, asked):
        self.press_confirm(asked)

    @rule(target=asked, address=st.sampled_from(ADDRESSES), minutes=st.integers(11, 60))
    def somebody_signs_up_and_confirms(self, address, minutes):
        return self.somebody_signs_up(address, minutes)

    def somebody_signs_up(self, address, minutes):
        pk = self.somebody_types(address, "sign-up")
        self.clock.push(minutes=minutes)
        self.handle(pk)
        self.press_confirm(pk)
        return pk

    def press_confirm(self, pk):
        one = self.requests.get(pk)
        if one is not None and one.name != "confirm":
            return  # there is no such link
        mailed_at = one.mailed_at if one else self.now
        path = links.confirm_path(SignupRequest(pk=pk), mailed_at)
        answer = self.client.post(path)
        reader = self.readers.get(one.reader) if one else None
        if (
            reader is None
            or self.now - mailed_at >= LINK_LIVES
            or reader.address != one.address
            or reader.erase_asked
            or self.is_stopped(reader.address, {"it was not me"})
            or (reader.state != "active" and reader.left_at and reader.left_at >= one.asked_at)
        ):
            assert answer.status_code == 410
            self.saw()
            return
        assert answer.status_code == 303
        lifted = [
            self.stops[reader.address].pop(reason, None)
            for reason in ("bounce", "erased")
            if reason in self.stops[reader.address]
        ]
        if reader.state == "active" and not lifted:
            self.saw()
            return
        reader.state, reader.confirmed, reader.left_at = "active", True, None
        self.saw("confirmed")

    @rule(asked=asked)
    def it_was_not_me(self, asked):
        one = self.requests.get(asked)
        if one is None or one.name != "confirm":
            return
        answer = self.client.post(links.not_me_path(SignupRequest(pk=asked), one.mailed_at))
        assert answer.status_code == 303
        self.stops[one.address]["it was not me"] = self.now + 365 * DAY
        reader = self.readers.get(one.reader)
        there = reader is not None and reader.address == one.address
        left = self.leave(reader) if there and reader.confirmed else []
        self.saw(*left, *(["disowned"] if there else []))

    @rule(asked=asked)
    def press_the_link_of_a_new_address(self, asked):
        self.press_move(asked)

    def press_move(self, asked):
        one = self.requests.get(asked)
        if one is None or one.name != "move":
            return
        reader, other = self.readers[one.reader], self.at(one.address)
        answer = self.client.post(links.move_path(SignupRequest(pk=asked), one.mailed_at))
        if self.now - one.mailed_at >= LINK_LIVES or reader.erase_asked:
            assert answer.status_code == 410
            self.saw()
            return
        if other is reader:
            assert answer.status_code == 303
            self.saw()
            return
        newer = any(r.kind == "new address" and r.reader == reader.pk and r.pk > one.pk for r in self.requests.values())
        if newer or (other and (other.state == "active" or self.busy)):
            assert answer.status_code == 409
            self.saw()
            return
        assert answer.status_code == 303
        old = reader.address
        if other:
            self.gone(other)
            self.requests[one.pk] = one  # harmless when pressed twice
        reader.address = one.address
        for reason in ("bounce", "erased"):
            self.stops[reader.address].pop(reason, None)
        told = SignupRequest.objects.get(subscriber=reader.pk, kind="moved", created_at=self.now, email=old)
        self.requests[told.pk] = SimpleNamespace(
            pk=told.pk, address=old, kind="address changed", asked_at=self.now, reader=reader.pk, mailed_at=None,
            name="", done=False, free_at=NOW,
        )  # fmt: skip
        self.saw("moved", forgot=[other.pk] if other else [])
        self.handle(told.pk)

    @rule(
        data=st.data(),
        weekdays=st.integers(1, 127),
        hour=st.integers(0, 23),
        zone=st.sampled_from(["UTC", "Pacific/Apia", "America/St_Johns"]),
    )
    def choose(self, data, weekdays, hour, zone):
        if reader := self.some(data):
            chosen = {"weekdays": weekdays, "hour": time(hour), "zone": zone}
            wanted = Interests(phrases=("protein folding",), authors=("Ana Exemplar",))
            lifecycle.choose(self.row(reader), chosen, wanted, self.now, origin())
            reader.weekly = weekdays.bit_count() == 1
            assert Interests.of(self.row(reader)) == wanted
            self.saw("changed")

    @rule(data=st.data())
    def mute(self, data):
        if reader := self.some(data):
            lifecycle.mute(self.row(reader), self.topic, self.now, origin())
            assert Interest.objects.get(subscriber=reader.pk, topic=self.topic).kind == "muted topic"
            self.saw("changed")

    @rule(data=st.data())
    def fewer(self, data):
        if reader := self.some(data):
            before, reader.limit = reader.limit, {20: 10, 10: 5}.get(reader.limit, reader.limit)
            assert lifecycle.fewer(self.row(reader), self.now, origin()) == reader.limit
            self.saw(*(["changed"] if reader.limit != before else []))

    @rule(data=st.data())
    def go_weekly(self, data):
        if reader := self.some(data):
            assert lifecycle.go_weekly(self.row(reader), self.now, origin()).is_weekly
            self.saw(*([] if reader.weekly else ["changed"]))
            reader.weekly = True

    @rule(data=st.data(), days=st.integers(1, 60))
    def pause(self, data, days):
        if reader := self.some(data):
            reader.paused_until = self.now + days * DAY
            lifecycle.pause(self.row(reader), reader.paused_until, self.now, origin())
            self.saw("paused")

    @rule(data=st.data())
    def resume(self, data):
        if reader := self.some(data):
            paused = reader.paused_until is not None and reader.paused_until > self.now
            assert lifecycle.resume(self.row(reader), self.now, origin()) == paused
            reader.paused_until = None
            self.saw(*(["resumed"] if paused else []))

    @rule(data=st.data(), body=st.sampled_from([{"button": "1"}, {"List-Unsubscribe": "One-Click"}]))
    def unsubscribe(self, data, body):
        if reader := self.some(data):
            answer = self.client.post(links.unsubscribe_path(self.row(reader), self.now), body)
            assert answer.status_code == (303 if "button" in body else 200)
            self.saw(*self.leave(reader, pressed=True))

    @rule(data=st.data())
    def undo(self, data):
        if reader := self.some(data, lambda r: r.state == "unsubscribed"):
            can = reader.confirmed and reader.pressed and not reader.erase_asked and self.now < reader.left_at + HOUR
            assert lifecycle.undo(self.row(reader), self.now, origin()) == can
            if can:
                reader.state, reader.left_at = "active", None
            self.saw(*(["restored"] if can else []))

    @rule(data=st.data())
    def give_reason(self, data):
        if reader := self.some(data, lambda r: r.state == "unsubscribed"):
            lifecycle.give_reason(self.row(reader), "too many", self.now, origin())
            self.saw("reason")

    @rule(data=st.data())
    def ask_erase(self, data):
        if reader := self.some(data):
            left = self.leave(reader)
            done = lifecycle.ask_erase(self.row(reader), self.now, origin())
            assert done != self.busy
            reader.erase_asked = reader.erase_asked or self.now
            if done:
                self.stops[reader.address].setdefault("erased", None)
                self.gone(reader)
            self.saw(*left, *(["erased"] if done else []), forgot=[reader.pk] if done else [])

    # --- what happens by itself ----------------------------------------------------------------------------------

    @rule(busy=st.booleans())
    def mails_are_on_the_wire(self, busy):
        self.busy = busy

    @rule()
    def erasures_are_finished(self):
        waiting = [] if self.busy else [reader for reader in self.readers.values() if reader.erase_asked]
        assert privacy.erase_waiting(self.now) == len(waiting)
        for reader in waiting:
            self.stops[reader.address].setdefault("erased", None)
            self.gone(reader)
        self.saw(*["erased"] * len(waiting), forgot=[reader.pk for reader in waiting])

    @rule()
    def expire(self):
        lifecycle.expire(self.now)
        self.requests = {pk: one for pk, one in self.requests.items() if self.now - one.asked_at < 7 * DAY}
        asking = {one.reader for one in self.requests.values()}
        stale = [
            reader for reader in self.readers.values()
            if not reader.confirmed and self.now - reader.made_at >= 7 * DAY and reader.pk not in asking
        ]  # fmt: skip
        for reader in stale:
            del self.readers[reader.pk]
        self.saw(dropped=[reader.pk for reader in stale])

    @rule(minutes=st.one_of(st.integers(1, 15), st.integers(30, 300), st.integers(24 * 60, 10 * 24 * 60)))
    def time_passes(self, minutes):
        self.clock.push(minutes=minutes)

    @rule(days=st.sampled_from([31, 31, 366]))
    def a_long_time_passes(self, days):
        self.clock.push(days=days)

    @rule(address=st.sampled_from(ADDRESSES), reason=st.sampled_from(["bounce"] * 4 + ["complaint"]))
    def a_provider_reports(self, address, reason):
        Suppression.objects.get_or_create(
            email_hash=address_hash(address), reason=reason, lifted_at=None, defaults={"created_at": self.now}
        )
        self.stops[address][reason] = None
        self.saw()

    @rule(address=st.sampled_from(ADDRESSES))
    def an_operator_lifts_what_stops_an_address(self, address):
        Suppression.objects.filter(email_hash=address_hash(address), lifted_at=None).update(lifted_at=self.now)
        self.stops[address].clear()

    # --- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def rows_are_as_the_model_has_them(self):
        rows = Subscriber.objects.order_by("pk").values_list("pk", "email", "state", "paper_limit", "paused_until")
        assert list(rows) == [
            (r.pk, r.address, r.state, r.limit, r.paused_until)
            for r in sorted(self.readers.values(), key=lambda r: r.pk)
        ]
        active = Subscriber.objects.active(self.now).values_list("pk", flat=True)
        assert set(active) == {reader.pk for reader in self.readers.values() if self.is_active(reader)}

    @invariant()
    def only_active_readers_are_due_and_never_before_their_pause_ends(self):
        for reader in Subscriber.objects.all():
            assert (reader.next_due_at is not None) == (reader.state == "active")
            if reader.next_due_at and reader.paused_until:
                assert reader.next_due_at >= reader.paused_until

    @invariant()
    def no_address_gets_more_letters_than_its_budget(self):
        for instants in self.sent.values():
            for window, most in WINDOWS:
                assert most_in(instants, window) <= most

    @precondition(lambda self: self.readers)
    @invariant()
    def who_asked_to_be_erased_gets_nothing(self):
        assert not Subscriber.objects.active(self.now).exclude(erase_asked_at=None).exists()


@pytest.mark.django_db
def test_whatever_happens_to_two_addresses_state_consent_and_letters_agree_with_the_table(monkeypatch):
    Readers.clock = take_clock(monkeypatch, NOW)
    run_state_machine_as_test(Readers, settings=settings(fewer(2), stateful_step_count=35))


# --- what the walk found, and what it meets too rarely ------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


def asked_to_move(reader, address, now):
    """The link that was mailed to the new address."""
    asked = letters.ask(SignupRequest.Kind.MOVE, address, now, subscriber=reader)
    tasks.handle_signup(asked.pk)
    asked.refresh_from_db()
    assert asked.outcome == "new address asked"
    return links.move_path(asked, now)


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["pending", "unsubscribed"])
def test_moving_to_an_address_that_was_asked_for_before_is_harmless_when_pressed_twice(client, nudges, clock, state):
    reader, other = make_reader("ana"), make_reader("bo", state=state)
    path = asked_to_move(reader, other.email, NOW)
    answers = [client.post(path).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert list(Subscriber.objects.values_list("pk", "email")) == [(reader.pk, "bo@example.org")]


@pytest.mark.django_db
def test_whose_address_was_typed_by_mistake_cannot_take_the_reader_over_later(client, nudges, clock):
    reader = make_reader("ana")
    mistyped = asked_to_move(reader, "stranger@example.org", NOW)
    meant = asked_to_move(reader, "ana.new@example.org", clock.push(minutes=5))
    assert client.post(meant).status_code == 303
    assert client.post(mistyped).status_code == 409
    reader.refresh_from_db()
    assert reader.email == "ana.new@example.org"


@pytest.mark.django_db
def test_an_old_address_cannot_be_taken_back_by_an_old_link(client, nudges, clock):
    reader = make_reader("ana")
    there = asked_to_move(reader, "bo@example.org", NOW)
    assert client.post(there).status_code == 303
    back = asked_to_move(Subscriber.objects.get(), "ana@example.org", clock.push(hours=1))
    assert client.post(back).status_code == 303
    assert client.post(there).status_code == 409
    assert Subscriber.objects.get().email == "ana@example.org"


@pytest.mark.django_db
@pytest.mark.parametrize(("reason", "gets_digests"), [("bounce", True), ("erased", True), ("by hand", False)])
def test_an_address_that_a_reader_moved_to_is_as_good_as_a_confirmed_one(client, nudges, clock, reason, gets_digests):
    reader = make_reader("ana")
    path = asked_to_move(reader, "bo@example.org", NOW)
    Suppression.objects.create(email_hash=address_hash("bo@example.org"), reason=reason, created_at=NOW)
    client.post(path)
    assert Subscriber.objects.active(NOW).filter(email="bo@example.org").exists() == gets_digests


@pytest.mark.django_db
def test_nobody_who_asked_to_be_erased_becomes_active_again_before_it_is_done(client, nudges, clock, monkeypatch):
    def on_the_wire(reader, now):
        raise privacy.NotYet

    monkeypatch.setitem(privacy._parts, "wire", privacy.Part(lambda reader: None, on_the_wire))
    reader = make_reader("ana")
    assert not lifecycle.ask_erase(reader, NOW, origin())
    asked = letters.ask(SignupRequest.Kind.SIGN_UP, reader.email, clock.push(minutes=1))
    tasks.handle_signup(asked.pk)
    answer = client.post(links.confirm_path(asked, clock.instant))
    assert answer.status_code == 410
    assert not lifecycle.undo(reader, clock.instant, origin())
    assert not Subscriber.objects.active(clock.instant).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("fails", [False, True])
def test_a_reader_who_is_erased_while_a_letter_is_on_the_wire_stays_erased(nudges, clock, monkeypatch, fails):
    reader = make_reader("ana")
    asked = letters.ask(SignupRequest.Kind.LINK, reader.email, NOW)

    def erased_meanwhile(backend, messages):
        assert lifecycle.ask_erase(reader, NOW, origin())
        if fails:
            raise ConnectionResetError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", erased_meanwhile)
    tasks.handle_signup(asked.pk)
    assert not SignupRequest.objects.exists()
    assert not Subscriber.objects.exists()


@pytest.mark.django_db
def test_consent_events_cannot_be_changed_or_deleted_by_any_ordinary_means():
    event = letters.consent.note(make_reader("ana"), ConsentEvent.Kind.CHANGED, NOW, origin())
    for attempt in (
        event.save,
        event.delete,
        ConsentEvent.objects.all().delete,
        lambda: ConsentEvent.objects.update(where=""),
        lambda: ConsentEvent.objects.bulk_update([event], ["where"]),
    ):
        with pytest.raises(TypeError, match="append-only"):
            attempt()
