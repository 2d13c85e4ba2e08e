from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from subscriptions.tokens import ALPHABET, LENGTH, Purpose, make, read

NOW = datetime(2026, 3, 20, 7, 0, tzinfo=UTC)
KEYS = ["a key of more than thirty-two characters", "an older key of thirty-two characters"]
purposes = st.sampled_from(Purpose)
ids = st.integers(0, 2**40 - 1)


@given(purposes, ids)
def test_what_is_made_can_be_read(purpose, id_):
    token = make(purpose, id_, NOW, KEYS)
    assert len(token) == LENGTH
    assert read(purpose, token, NOW, KEYS).id == id_


@given(purposes, purposes, ids)
def test_a_token_of_one_purpose_is_noise_to_another(one, other, id_):
    if one != other:
        assert read(other, make(one, id_, NOW, KEYS), NOW, KEYS) is None


@given(ids, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_a_changed_character_makes_it_worthless(id_, place, character):
    token = make(Purpose.MANAGE, id_, NOW, KEYS)
    changed = token[:place] + character + token[place + 1 :]
    assert changed == token or read(Purpose.MANAGE, changed, NOW, KEYS) is None


@given(st.text())
def test_no_text_breaks_the_reader(text):
    assert read(Purpose.UNSUBSCRIBE, text, NOW, KEYS) is None


def test_old_keys_still_verify_and_foreign_ones_do_not():
    token = make(Purpose.UNSUBSCRIBE, 7, NOW, KEYS[1:])
    assert read(Purpose.UNSUBSCRIBE, token, NOW, KEYS).id == 7
    assert read(Purpose.UNSUBSCRIBE, token, NOW, ["another key of thirty-two characters."]) is None


def test_unsubscribe_never_expires_and_manage_does_after_thirty_days():
    much_later = NOW + timedelta(days=3650)
    assert not read(Purpose.UNSUBSCRIBE, make(Purpose.UNSUBSCRIBE, 7, NOW, KEYS), much_later, KEYS).expired
    manage = make(Purpose.MANAGE, 7, NOW, KEYS)
    assert not read(Purpose.MANAGE, manage, NOW + timedelta(days=29, hours=23), KEYS).expired
    assert read(Purpose.MANAGE, manage, NOW + timedelta(days=30), KEYS).expired
