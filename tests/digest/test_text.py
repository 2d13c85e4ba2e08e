import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from digest.text import readable, shorten


@given(st.text())
def test_what_comes_out_is_one_line_without_controls(text):
    out = readable(text)
    assert out == " ".join(out.split())
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in out)
    assert "\u202e" not in out
    out.encode("utf-8")


@given(st.text())
def test_reading_twice_changes_nothing(text):
    assert readable(readable(text)) == readable(text)


def test_a_newline_in_a_title_becomes_a_space_and_angle_brackets_stay():
    assert readable("Let's <think>\n about\tLLMs") == "Let's <think> about LLMs"
    assert readable("e\u0301\u202etxt.exe\x00") == "étxt.exe"


@given(st.text(), st.integers(20, 400))
def test_a_shortened_text_fits(text, limit):
    assert len(shorten(text, limit)) <= limit


def test_it_cuts_after_a_sentence_where_one_ends_late_enough():
    text = "First sentence is here. " * 20
    assert shorten(text, 100) == ("First sentence is here. " * 4).strip()
    assert shorten("word " * 100, 50).endswith("word…")
