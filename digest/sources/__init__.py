"""Where papers come from. A new source is one file here and one line below: docs/adding-a-source.md."""

from digest.sources import arxiv_api, arxiv_rss, huggingface, sample
from digest.sources.base import Fetch, FillIn

SOURCES: dict[str, Fetch] = {
    "huggingface": huggingface.fetch,
    "arxiv_rss": arxiv_rss.fetch,
    "arxiv_api": arxiv_api.fetch,
    "sample": sample.fetch,
}
FILL_IN: FillIn = arxiv_api.fill_in
