"""Time zones to choose from."""

from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext

# Other names of zones, and offsets without a place: nobody looks for their own clock there.
NOT_LISTED = frozenset({"Etc", "SystemV", "US", "posix", "right"})


def zone_choices(kept: str = "UTC") -> list[Any]:
    """IANA zones by region, UTC first: a <select> with groups needs no JavaScript.

    ``kept`` is what a reader has. A name that is not listed (EST5EDT, Etc/GMT+8, which browsers tell too) is a
    group of its own, and so is one that left the tz database: whoever saves another setting keeps the zone.
    """
    known = available_timezones()
    groups: dict[str, list[tuple[str, str]]] = {}
    for zone in sorted(known):
        region, _, place = zone.partition("/")
        if place and region not in NOT_LISTED:
            groups.setdefault(region, []).append((zone, place.replace("_", " ")))
    listed = kept == "UTC" or any(kept == zone for places in groups.values() for zone, _ in places)
    if listed:
        return [("UTC", "UTC"), *groups.items()]
    label = kept if kept in known else gettext("%(zone)s (not known any more)") % {"zone": kept}
    return [("UTC", "UTC"), (gettext("Your time zone now"), [(kept, label)]), *groups.items()]
