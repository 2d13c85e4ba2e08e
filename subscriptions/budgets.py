"""How many mails in how long, as a setting: "1/10m,3/24h,5/30d"."""

import re
from datetime import timedelta

Windows = tuple[tuple[timedelta, int], ...]
_PART = re.compile(r"([0-9]{1,9})/([0-9]{1,4})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=31)  # what is older is swept away


def parse_windows(text: str) -> Windows:
    """((window, most), ...) of "most/window,...". Raises ValueError, saying how to write it."""
    windows = []
    for part in text.split(","):
        found = _PART.fullmatch(part.strip())
        if not found:
            raise ValueError(f"{part.strip()!r} is no budget: write how many in how long, like 3/24h (m, h or d)")
        window = int(found[2]) * _UNITS[found[3]]
        if not timedelta(minutes=1) <= window <= LONGEST:
            raise ValueError(f"{part.strip()!r}: a window is from 1m to 31d")
        windows.append((window, int(found[1])))
    return tuple(windows)
