"""Colours: reading them, their contrast, and what mail programs make of them that darken by force."""

from colorsys import hls_to_rgb, rgb_to_hls
from typing import NamedTuple

import tinycss2
from tinycss2 import color3

LEAST = 4.5  # WCAG 2.2 criterion 1.4.3; also for large text, for which 3 would do


class Colour(NamedTuple):
    """An opaque colour, each channel from 0 to 1."""

    red: float
    green: float
    blue: float

    def __str__(self) -> str:
        return "#" + "".join(f"{round(channel * 255):02x}" for channel in self)

    @property
    def luminance(self) -> float:
        """Relative luminance (WCAG 2.2)."""
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in self)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    @property
    def inverted(self) -> "Colour":
        """The same hue with light and dark exchanged, as mail programs do that darken every mail."""
        hue, lightness, saturation = rgb_to_hls(*self)
        return Colour(*hls_to_rgb(hue, 1 - lightness, saturation))

    @property
    def is_light(self) -> bool:
        """Whether programs that darken in part take it for light."""
        return rgb_to_hls(*self)[1] > 0.5


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((one.luminance, other.luminance))
    return (lighter + 0.05) / (darker + 0.05)


def colour(value: str, on: Colour) -> Colour | None:
    """The colour that a CSS value says, over the colour below it where it is translucent; None where it is none."""
    read = color3.parse_color(value)
    if read is None or isinstance(read, str):  # "currentColor"
        return None
    channels = zip((read.red, read.green, read.blue), on, strict=True)
    return Colour(*(min(max(below + (above - below) * read.alpha, 0.0), 1.0) for above, below in channels))


def colour_in(value: str, on: Colour) -> Colour | None:
    """The colour among the words of ``background: #fff url(x)``."""
    for token in tinycss2.parse_component_value_list(value):
        if token.type in ("ident", "hash", "function") and (found := colour(tinycss2.serialize(token), on)):
            return found
    return None


WHITE, BLACK = Colour(1.0, 1.0, 1.0), Colour(0.0, 0.0, 0.0)
