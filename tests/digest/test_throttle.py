from datetime import timedelta

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from digest import ledger
from digest.delivery import throttle
from digest.models import Throttle
from subscriptions import receivers, suppression
from subscriptions.models import Subscriber
from subscriptions.receivers import Refusal
from tests.conftest import NOW, make_digest, make_paper, make_reader

pytestmark = pytest.mark.django_db


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def test_without_a_rate_everything_may_leave():
    assert throttle.take(1000, NOW) == 1000
    assert throttle.opens_in(NOW) == timedelta(0)


def test_a_rate_is_shared_and_never_holds_more_than_one_second(settings):
    settings.MAIL_RATE = 14
    assert throttle.take(100, NOW) == 14
    assert throttle.take(100, NOW) == 0  # whoever asks: the row is one
    assert throttle.take(100, after(0.5)) == 7
    assert throttle.take(100, after(3600)) == 14


def test_a_slow_rate_lets_one_mail_go_at_a_time_and_says_when_the_next_may(settings):
    settings.MAIL_RATE = 100 / 86_400
    assert throttle.take(50, NOW) == 1
    assert throttle.take(50, after(600)) == 0
    wait = throttle.opens_in(after(600))
    assert wait == pytest.approx(timedelta(seconds=264), abs=timedelta(seconds=1))
    assert throttle.take(50, after(601) + wait) == 1


def test_tokens_that_no_mail_needed_come_back(settings):
    settings.MAIL_RATE = 10
    assert throttle.take(10, NOW) == 10
    throttle.put_back(4)
    assert throttle.take(10, NOW) == 4


def test_a_clock_that_jumps_back_makes_no_tokens(settings):
    settings.MAIL_RATE = 10
    assert throttle.take(10, NOW) == 10
    assert throttle.take(10, after(-3600)) == 0
    assert throttle.take(10, after(0.5)) == 5


def test_patience_doubles_with_each_answer_in_a_row_and_is_forgotten_when_a_mail_is_taken():
    assert throttle.close(NOW, "421") == after(15)
    assert throttle.take(5, after(14)) == 0
    assert throttle.take(5, after(15)) == 5
    assert throttle.close(after(20), "421") == after(50)
    throttle.works(after(60))
    assert throttle.close(after(60), "421") == after(75)


def test_what_the_server_asks_for_counts_if_it_is_longer():
    assert throttle.close(NOW, "429", patience=120) == after(120)


def test_a_server_that_asks_for_years_is_tried_tomorrow():
    assert throttle.close(NOW, "429", patience=2.5e11) == NOW + timedelta(days=1)
    throttle.close(NOW, "429", patience=2.5e11)
    assert throttle.opens_in(NOW) == timedelta(days=1)


def test_the_same_answer_to_several_threads_at_once_counts_once():
    for _ in range(16):
        throttle.close(NOW, "421")
    assert throttle.opens_in(NOW) == timedelta(seconds=15)


class AnyRate(TestCase):
    @given(
        rate=st.floats(0.5, 500),
        asks=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 400)), min_size=1, max_size=25),
    )
    def test_no_stretch_of_time_sees_more_than_the_rate_and_one_second_of_it(self, rate, asks):
        with override_settings(MAIL_RATE=rate):
            at, taken = 0.0, []
            for pause, wanted in asks:
                at += pause
                taken.append((at, throttle.take(wanted, after(at))))
        for first in range(len(taken)):
            for last in range(first, len(taken)):
                span = taken[last][0] - taken[first][0]
                assert sum(n for _, n in taken[first : last + 1]) <= rate * span + max(rate, 1) + 1e-3


def test_what_a_run_leaves_of_equal_refusals_is_there_for_the_next_one_and_a_mail_that_is_taken_opens_again():
    left = {"answer": "ab", "digests": {"7": 17}, "ours": False}
    assert throttle.equal_refusals(NOW) == {}
    for row in (left, left, {}, left):
        throttle.keep_equal_refusals(row)
        assert throttle.equal_refusals(NOW) == row
    throttle.close(NOW, "550 5.4.5", refused=True)
    throttle.works(after(5))  # a mail that was on the wire
    assert Throttle.objects.filter(refused_since=NOW).exists()
    throttle.close(after(20), "550 5.4.5", refused=True)
    assert Throttle.objects.filter(refused_since=NOW).exists()
    throttle.works(after(3600))
    assert Throttle.objects.filter(refused_since=None, slow_answers=0, reason="").exists()


def test_refused_digests_are_taken_back_with_what_was_said_against_their_readers():
    paper = make_paper(1)
    refused = {"attempt": 1, "reason": "the recipient was refused (550 5.1.1)", "handed_at": NOW, "bounced_at": NOW}
    one, other, closed = (
        make_digest(make_reader(f"r{n}"), [paper], state="rejected", **refused, folded=n == 2) for n in range(3)
    )
    for digest in (one, other):
        reader = digest.subscriber
        receivers.refused(Refusal("smtp", "550 5.1.1", "invalid"), reader.email, f"digest-{digest.pk}", NOW, reader.pk)
    suppression.apply(NOW)
    assert Subscriber.objects.active(NOW).count() == 1
    assert suppression.take_back([f"digest-{one.pk}"], NOW - timedelta(days=1), NOW) == 1
    assert ledger.take_back([one.pk, closed.pk], "about us", after(300)) == 1
    assert ledger.take_back([one.pk], "about us", after(300)) == 0
    one.refresh_from_db()
    assert (one.state, one.attempt, one.bounced_at, one.free_at) == ("planned", 0, None, after(300))
    assert set(Subscriber.objects.active(NOW)) == {one.subscriber, closed.subscriber}
