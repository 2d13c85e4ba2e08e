"""News of papers that readers were sent: noticed once, and told once to each who has the paper.

``works`` knows a work in all its rows, ``finding`` writes FollowUp rows, ``telling`` reads them for planning and takes
out of them whom closed days told.
"""

from digest.follow_ups.finding import notice
from digest.follow_ups.telling import NOBODY, News, forget, readers_of, told

__all__ = ["NOBODY", "News", "forget", "notice", "readers_of", "told"]
