"""What every source that speaks of arXiv papers shares: ids, and arXiv's rules for automatic readers."""

import re

# One request every three seconds, one connection at a time, over all machines and over the API and the feeds
# together: https://info.arxiv.org/help/api/tou.html
GATE = "arxiv"
SECONDS_BETWEEN_REQUESTS = 3.0
# arXiv answers these when it is short of capacity, also to clients that keep the rules: worth asking later.
BUSY = frozenset({403, 406})

# https://info.arxiv.org/help/arxiv_identifier.html: since 2007-04 YYMM.NNNN (five digits since 2015), before
# that archive/YYMMNNN, where older records write the subject class too (math.GT/0309136).
_NEW_STYLE = re.compile(r"([0-9]{4}\.[0-9]{4,5})(?:v[0-9]+)?")
_OLD_STYLE = re.compile(r"([a-z]+(?:-[a-z]+)*)(?:\.[A-Z]{2})?(/[0-9]{7})(?:v[0-9]+)?")


def bare_id(text: object) -> str | None:
    """The canonical arXiv id in ``text``, without version and subject class; None if it is not an arXiv id.

    "2604.14268v2" is "2604.14268", "math.GT/0309136" is "math/0309136". The archive of an old id belongs to
    it: hep-th/9901001 and solv-int/9901001 are two papers.
    """
    if not isinstance(text, str):
        return None
    if new := _NEW_STYLE.fullmatch(text):
        return new[1]
    if old := _OLD_STYLE.fullmatch(text):
        return old[1] + old[2]
    return None
