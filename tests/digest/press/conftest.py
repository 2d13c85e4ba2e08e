"""Papers and topics that have all that such rows can have, or lack it."""

import pytest

from digest.models import Paper
from subscriptions.models import Topic
from tests.conftest import make_edition, make_paper, make_reader
from tests.digest.press.printed import digest_of
from tests.mail.cast import SOURCES


@pytest.fixture
def topics():
    return [
        Topic.objects.create(slug=f"t{n}", name=name, description="D.", categories=["cs.RO"], terms=["robot"])
        for n, name in enumerate(["Robotics", "Speech & <language>", "Robotics", "Vision 100 %", "Theory"])
    ]


@pytest.fixture
def papers():
    """Fifty, of which some lack what a paper can lack."""
    every = []
    for n in range(1, 51):
        fields = {"code_url": "https://github.com/x/y?a=1&b=2"} if n % 2 else {}
        paper = make_paper(n, f"Learning to grasp from few demonstrations, part {n}", stars=1234, **fields)
        if n % 5 == 0:
            paper.authors, paper.arxiv_id, paper.abstract, paper.upvotes, paper.stars = [], None, "", 0, None
        every.append(paper)
    Paper.objects.bulk_update(every, ["authors", "arxiv_id", "abstract", "upvotes", "stars"])
    return every


@pytest.fixture
def one(papers, topics):
    """A digest of twelve."""
    make_edition(papers, standing_on=SOURCES)
    return digest_of(make_reader("a", zone="Europe/Berlin"), papers[:12], topics)


@pytest.fixture
def small(papers, topics):
    """A digest of three."""
    make_edition(papers, standing_on=SOURCES)
    return digest_of(make_reader("a", zone="Europe/Berlin"), papers[:3], topics)
