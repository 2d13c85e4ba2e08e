"""The cast: every kind of mail that this site sends, by name, as bytes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings
from django.utils.translation import get_language_info

from digest.models import Digest, Paper
from digest.rendering import Shelf, digest_message
from digest.text import readable
from subscriptions import letters
from subscriptions.letters import Kind
from subscriptions.models import SignupRequest, Topic
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.pseudo import pseudo

LONG_NAME = "Papers of the Big Institute 6"  # as long as E018 lets it be
LONG_ADDRESS = (
    "Institute for Comparative Studies of Machine Learning, Department of Everything that is Trending, "
    "Building 17, 3rd floor, 1234 Rather Long Example Boulevard, 12345 Example City on the Example River"
)
SHORT_NAME, SHORT_ADDRESS = "DP", "1 A St, B"
SOURCES = [
    {"source": "huggingface", "state": "fresh", "papers": 50, "reason": ""},
    {"source": "arxiv_rss", "state": "stalled", "papers": 0, "reason": "the feed is of 18 March; was due 01:00 UTC"},
]
ABSTRACT = (
    "Robots that learn from few demonstrations fail when the scene changes. We train one policy on 1.2 million "
    "trajectories and show that it grasps unseen objects in 91.3 % of 4,000 trials, 17 points more than before. "
    "An ablation says which part of the data matters, and where more of it does not help at all. Code is released."
)
WORD = "Pneumonoultramicroscopicsilicovolcanoconiosisresearchmethodologysurveys"[:70]
TITLES = (
    r"An $O(n^2 \log n)$ bound for \emph{sparse} attention with $\alpha$-entmax and H<sub>2</sub>O",
    "למידה עמוקה של תנועת רובוטים מתוך הדגמות מעטות",
    "Let's <think> before we <answer>: 2 < 3 & other \"facts\" of R1's reasoning",
    "🤖 Robots that say 👩🏽‍🔬 what they see 🎉",
    ("A title that does not end, " * 12)[:299] + ".",
    f"{WORD}: a survey",
    ".NET agents for robots",
    "机器人从少量演示中学习操作技能的统一框架",
)


def _robotics() -> Topic:
    topic, _ = Topic.objects.get_or_create(
        slug="robotics",
        defaults={"name": "Robotics", "description": "Robots.", "categories": ["cs.RO"], "terms": ["robot"]},
    )
    return topic


def _reader(topic: Topic, **fields):
    values = {"paper_limit": 20, "next": datetime(2026, 3, 21, 6, 30, tzinfo=UTC), "zone": "Europe/Berlin", **fields}
    reader = make_reader("reader", topic, zone=values.pop("zone"), **{k: v for k, v in values.items() if k != "next"})
    reader.next_due_at = values["next"]
    reader.save()
    return reader


def papers(count: int, **fields) -> list[Paper]:
    """Papers with all that a paper can have: code, PDF, upvotes, comments, stars, an abstract longer than a blurb."""
    every = {"abstract": ABSTRACT, "code_url": "https://github.com/example/robots", "comments": 4, "stars": 1234}
    return [
        make_paper(n, f"Learning to grasp from few demonstrations, part {n}", **{**every, **fields})
        for n in range(1, count + 1)
    ]


def _why(topic: Topic) -> list:
    """The reasons of the first papers; the others have none."""
    return [
        [{"topic": topic.pk, "terms": ["robot", "grasp"], "category": ""}],
        [{"topic": topic.pk, "terms": [], "category": "cs.RO"}, {"author": "Ana Exemplar"}],
        [{"phrase": "few demonstrations"}],
        [],
    ]


def _built(reader, chosen: list[Paper], *, why: list | None = None, **fields) -> EmailMultiAlternatives:
    topic = _robotics()
    digest = make_digest(reader, chosen, **fields)
    for pick, reasons in zip(digest.picks, why if why is not None else _why(topic), strict=False):
        pick["why"] = reasons
    digest.save()
    return digest_message(digest, reader, Shelf.for_digests([digest]), now=NOW)


def digest(count: int, **fields) -> EmailMultiAlternatives:
    """Today's digest of ``count`` papers."""
    chosen = papers(count)
    make_edition(chosen, standing_on=SOURCES)
    return _built(_reader(_robotics(), **fields), chosen)


def worst_case() -> EmailMultiAlternatives:
    """50 papers, and in them all that was ever seen to break a mail."""
    topic = _robotics()
    chosen = papers(50, abstract=readable(r"We prove $\|x\|_2 \le \sqrt{n}$ for all $x \in \mathbb{R}^n$. " + ABSTRACT))
    for paper, title in zip(chosen, TITLES, strict=False):
        paper.title = readable(title)
    chosen[0].authors = [f"A. Author{n}" for n in range(3303)]
    chosen[1].authors = ["Maria-Magdalena von und zu Beispielhausen-Musterstadt"] * 3
    for paper in chosen:
        paper.upvotes, paper.comments, paper.stars = 12345, 678, 98765
    Paper.objects.bulk_update(chosen, ["title", "authors", "upvotes", "comments", "stars"])
    make_edition(chosen, standing_on=SOURCES)
    long = [
        {"topic": topic.pk, "terms": ["reinforcement learning from human feedback", "x" * 40], "category": ""},
        {"phrase": "a phrase of eighty letters which is as long as the form lets one be, so to speak"},
        {"author": "Maria-Magdalena von und zu Beispielhausen-Musterstadt"},
    ]
    return _built(_reader(topic, paper_limit=50), chosen, why=[long] * 50)


def bare() -> EmailMultiAlternatives:
    """Papers of which nothing is known but a title, and an address where one is needed."""
    known = {"authors": [], "abstract": "", "categories": [], "upvotes": 0}
    chosen = [make_paper(n, **known) for n in range(1, 4)]
    chosen[0].arxiv_id, chosen[0].doi = None, "10.1000/182"
    chosen[1].arxiv_id = None
    Paper.objects.bulk_update(chosen, ["arxiv_id", "doi"])
    make_edition(chosen)
    return _built(_reader(_robotics(), paper_limit=5), chosen, why=[])


def weekly() -> EmailMultiAlternatives:
    """The best of a week."""
    chosen = _of_days(7)
    reader = _reader(_robotics(), weekdays=1 << TODAY.weekday(), next=datetime(2026, 3, 27, 6, 30, tzinfo=UTC))
    return _built(reader, chosen, cadence=Digest.Cadence.WEEKLY, content_from=TODAY - timedelta(days=7))


def catch_up() -> EmailMultiAlternatives:
    """The first digest after three days without one."""
    return _built(_reader(_robotics()), _of_days(4), content_from=TODAY - timedelta(days=4))


def after_a_pause() -> EmailMultiAlternatives:
    """The first digest after the reader's holiday."""
    reader = _reader(_robotics(), paused_until=datetime(2026, 3, 19, 23, tzinfo=UTC))
    return _built(reader, _of_days(1))


def with_follow_ups(count: int) -> EmailMultiAlternatives:
    """``count`` papers, and news of three that the reader has."""
    every = papers(count + 3)
    chosen, had = every[:count], every[count:]
    make_edition(chosen, standing_on=SOURCES)
    had[0].withdrawn_at = NOW
    had[0].save()
    news = [{"paper": p.pk, "what": what} for p, what in zip(had, Digest.FollowUp.values, strict=True)]
    return _built(_reader(_robotics()), chosen, follow_ups=news)


def _of_days(days: int) -> list[Paper]:
    chosen = papers(2 * days)
    for back in range(days):
        make_edition(chosen[2 * back : 2 * back + 2], TODAY - timedelta(days=back), standing_on=SOURCES)
    return chosen


def letter(kind: str, *, to: str = "", **fields) -> EmailMultiAlternatives:
    """A mail that somebody asked for."""
    reader = make_reader("reader", **fields)
    asked = SignupRequest.objects.create(kind=kind, email=to or reader.email, created_at=NOW, subscriber=reader)
    _, message = letters.letter_for(asked.pk, NOW)
    assert isinstance(message, EmailMultiAlternatives)
    return message


def _as(name: str, address: str, build: Callable[[], EmailMultiAlternatives]) -> Callable[[], EmailMultiAlternatives]:
    """Of a site of another name and address."""
    return override_settings(SITE_NAME=name, POSTAL_ADDRESS=address)(build)


def _in_pseudo(build: Callable[[str], EmailMultiAlternatives]) -> Callable[[], EmailMultiAlternatives]:
    """In the language of tests.pseudo, which is written from right to left."""

    def built() -> EmailMultiAlternatives:
        with pseudo("ar") as code:
            return build(code)

    return built


LETTERS: dict[str, Callable[[], EmailMultiAlternatives]] = {
    "confirm": lambda: letter(Kind.SIGN_UP, state="pending"),
    "already": lambda: letter(Kind.SIGN_UP),
    "link": lambda: letter(Kind.LINK),
    "move": lambda: letter(Kind.MOVE, to="other@example.org"),
    "moved": lambda: letter(Kind.MOVED),
    "leave": lambda: letter(Kind.LEAVE),
}
BY_SIZE = {10: "10 papers", 25: "25 papers", 50: "50 papers"}
# Every language on offer beside English, and one that is made up: 40 % longer, from right to left.
TRANSLATED = {f"10 papers in {code}": code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE}
MADE_UP = {
    "10 papers in a made-up language": lambda code: digest(10, language=code),
    "confirm in a made-up language": lambda code: letter(Kind.SIGN_UP, state="pending", language=code),
}
CAST: dict[str, Callable[[], EmailMultiAlternatives]] = {
    **{name: lambda count=count: digest(count) for count, name in BY_SIZE.items()},
    "worst case": worst_case,
    "one paper": lambda: digest(1),
    "three papers": lambda: digest(3),
    "bare papers": bare,
    "weekly": weekly,
    "catch-up": catch_up,
    "after a pause": after_a_pause,
    "follow-ups": lambda: with_follow_ups(10),
    "three papers and news": lambda: with_follow_ups(3),
    "text only": lambda: digest(10, text_only=True),
    **LETTERS,
    "digest of a long name": _as(LONG_NAME, LONG_ADDRESS, lambda: digest(3)),
    "digest of a short name": _as(SHORT_NAME, SHORT_ADDRESS, lambda: digest(3)),
    "confirm of a long name": _as(LONG_NAME, LONG_ADDRESS, LETTERS["confirm"]),
    **{name: lambda code=code: digest(10, language=code) for name, code in TRANSLATED.items()},
    **{name: _in_pseudo(build) for name, build in MADE_UP.items()},
}
WITH_HTML = [name for name in CAST if name != "text only"]
RIGHT_TO_LEFT = [*MADE_UP, *(name for name, code in TRANSLATED.items() if get_language_info(code)["bidi"])]
