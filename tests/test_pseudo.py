"""The ruler that the languages' tests measure with."""

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, ngettext, npgettext, pgettext
from hypothesis import given
from hypothesis import strategies as st

from tests.pseudo import KEPT, pseudo, strays, translated

PIECES = st.sampled_from(
    ["%(count)s", "%(day)5.1f", "%s", "%d", "%%", "{}", "{name}", "{0:>4}", "<a href=\"%(url)s\">", "</a>", "&amp;", "&#8217;"]
)  # fmt: skip
MESSAGES = st.lists(PIECES | st.text(max_size=8)).map("".join)


@given(MESSAGES)
def test_placeholders_tags_and_entities_stay_as_they_are_and_in_their_order(message):
    assert KEPT.findall(translated(message)) == KEPT.findall(message)


@given(st.text(alphabet="abc xyz.,:'\"!?", min_size=1).filter(str.strip))
def test_a_message_is_two_fifths_longer_between_its_brackets(message):
    body = message.strip()
    found = translated(message).strip()
    assert (found[0], found[-1]) == ("⟦", "⟧")
    assert 1.4 * len(body) <= len(found) - 2 < 1.4 * len(body) + 1


@given(st.dictionaries(st.sampled_from(["count", "day", "url"]), st.text(), min_size=3, max_size=3))
def test_a_message_takes_its_values_as_before(values):
    message = "On %(day)s: <a href='%(url)s'>%(count)s papers</a>, 100%% of them"
    assert all(value in translated(message) % values for value in values.values())


def test_every_way_to_ask_for_a_message_gets_the_pseudo_language_and_none_afterwards():
    with pseudo("ar") as code:
        assert code in dict(settings.LANGUAGES)
        with translation.override(code):
            assert translation.get_language() == "ar"
            assert translation.get_language_bidi()
            for text in (gettext("Save"), pgettext("button", "Save"), ngettext("Save", "Saves", 1)):
                assert text.startswith("⟦Šávé")
            assert npgettext("x", "%(n)s paper", "%(n)s papers", 2).startswith("⟦%(n)s pápérš")
            assert pgettext("date format", "l j F Y") == "l j F Y"
    assert code not in dict(settings.LANGUAGES)
    with translation.override("ar"):
        assert gettext("Save") == "احفظ"


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("<p>⟦Šávé⟧</p>", []),
        ("<p>Save</p>", ["Save"]),
        ("<p>⟦Thé <a href='/'>líñk</a> ⟦Fríday⟧ 3⟧</p>", []),
        ("<p>⟦Šávéd⟧: ⟦tópíçš⟧, ⟦hóúr⟧</p>", [": ", ", "]),
        ("<p>⟦Šávéd⟧ and more</p>", [" and more"]),
        ("<p>⟦cut off</p><p>⟦Šávé⟧</p>", ["not closed: ⟦cut off"]),
        ("<p>12 · Robotics, https://example.org/a</p>", []),
        ("<p>Robotics are muted</p>", ["Robotics are muted"]),
        ("<p>Roboticsology</p>", ["Roboticsology"]),
        ("<a aria-label='Site' title='⟦Tóp⟧'><img alt='A robot'></a>", ["Site", "A robot"]),
        ("<p><input type='submit' value='Send'><input value='typed'></p>", ["Send"]),
        ("<p><script>var words;</script><!-- words --></p>", []),
        ("⟦Héllo⟧\n\nHello\n", [" Hello"]),
    ],
)
def test_what_no_translator_saw_is_found(shown, found):
    assert strays(shown, data=["Robotics", "·"]) == found
