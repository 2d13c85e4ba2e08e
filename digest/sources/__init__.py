"""Where papers come from. A new source is one file here and one line below: docs/adding-a-source.md."""

from digest.sources import arxiv_api, arxiv_oai, arxiv_rss, calendar, huggingface, sample
from digest.sources.arxiv import GATE
from digest.sources.base import Confirm, FillIn, Source

SOURCES: dict[str, Source] = {
    "huggingface": Source(huggingface.fetch, huggingface.read, calendar.weekdays, trust=1, stale_by="list"),
    "arxiv_rss": Source(
        arxiv_rss.fetch, arxiv_rss.read, calendar.arxiv_feed, days=1, trust=3, group=GATE, stale_by="category"
    ),
    "arxiv_oai": Source(arxiv_oai.fetch, arxiv_oai.read, trust=4, group=GATE),
    "arxiv_api": Source(arxiv_api.fetch, arxiv_api.read, trust=5, group=GATE),
    "sample": Source(sample.fetch, sample.read, trust=0),
}
FILL_IN: FillIn = arxiv_api.fill_in
CONFIRM_WITHDRAWAL: Confirm = arxiv_oai.is_withdrawn
