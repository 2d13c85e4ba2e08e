"""How a mail lies on the screen: four widths, light and dark, images on and off, as sent, without <style>, mirrored."""

import re
from collections.abc import Iterator

from playwright.sync_api import Page, Route

WIDTHS = (320, 375, 640, 1280)
SCHEMES = ("light", "dark")
MIN_TEXT, MIN_BUTTON, MAX_LINE = 13, 44, 640  # CSS pixels
# Larger than any that a mail may carry, so that a picture without a limit of its own shows.
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="600"/>'
_PICTURE = re.compile(r"<img\b|<picture\b|\burl\(|\bbackground=", re.IGNORECASE)
VARIANTS = {
    "as sent": lambda html: html,
    # Gmail's mobile webmail drops the sheet (https://www.caniemail.com/features/html-style/).
    "without style": lambda html: re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL),
    "mirrored": lambda html: html.replace('dir="ltr"', 'dir="rtl"'),
}
MEASURE = """
([unsubscribe, minText, minButton, maxLine]) => {
  const root = document.documentElement, faults = [];
  const seen = element => element.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const words = element => element.textContent.trim().replace(/\\s+/g, ' ').slice(0, 50);
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll('body *')].findLast(e => e.getBoundingClientRect().right > root.clientWidth);
    faults.push(`sideways scroll: ${root.scrollWidth} px${wide ? ` by <${wide.localName}> ${words(wide)}` : ''}`);
  }
  const h1 = document.querySelectorAll('h1');
  if (h1.length !== 1 || !seen(h1[0]) || !h1[0].getBoundingClientRect().height) faults.push('h1: not one that is seen');
  if (unsubscribe) {
    const links = [...document.querySelectorAll('a')].filter(a => a.href === unsubscribe && seen(a));
    const boxes = links.map(a => a.getBoundingClientRect());
    if (!boxes.some(box => box.width > 0 && box.height > 0)) faults.push('unsubscribe link: not seen');
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !seen(element)) continue;
    const size = parseFloat(getComputedStyle(element).fontSize);
    if (size < minText) faults.push(`small text: ${size} px, ${words(element)}`);
    const width = element.getBoundingClientRect().width;
    if (width > maxLine) faults.push(`long lines: ${Math.round(width)} px, ${words(element)}`);
  }
  for (const a of document.querySelectorAll('a')) {
    // Only what is laid out as a box is a button; a link in a text is exempt (WCAG 2.5.8).
    const height = a.getBoundingClientRect().height;
    if (seen(a) && getComputedStyle(a).display !== 'inline' && height < minButton)
      faults.push(`low button: ${height} px, ${words(a)}`);
  }
  // The preheader is not seen. Nobody scrolls inside a mail: what is cut off is lost.
  for (const box of document.querySelectorAll('body *')) {
    if (!seen(box) || getComputedStyle(box).overflow === 'visible' || !box.clientHeight) continue;
    if (box.scrollHeight > box.clientHeight || box.scrollWidth > box.clientWidth)
      faults.push(`clipped: ${words(box)}`);
  }
  for (const img of document.images)
    if (img.getBoundingClientRect().width > Math.min(maxLine, root.clientWidth)) faults.push(`wide image: ${img.src}`);
  return faults;
}
"""


def layout_faults(page: Page, html: str, unsubscribe_url: str = "") -> list[str]:
    """What is wrong in any cell of the matrix, each fault once, with the first cell that shows it."""
    found: dict[str, str] = {}
    for cell, faults in _measured(page, html, unsubscribe_url):
        for fault in faults:
            found.setdefault(fault, cell)
    return [f"{fault} ({cell})" for fault, cell in found.items()]


def _measured(page: Page, html: str, unsubscribe_url: str) -> Iterator[tuple[str, list[str]]]:
    limits = [unsubscribe_url, MIN_TEXT, MIN_BUTTON, MAX_LINE]
    for variant, changed in VARIANTS.items():
        # Without a picture both are the same page.
        for images in ("images on", "images off") if _PICTURE.search(html) else ("no images",):
            page.unroute_all()
            page.route("**/*", _block if images == "images off" else _show)
            page.set_content(changed(html))
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    yield f"{variant}, {images}, {width} px, {scheme}", page.evaluate(MEASURE, limits)


def _show(route: Route) -> None:
    """No request leaves the machine: every picture is ours."""
    route.fulfill(body=PICTURE, content_type="image/svg+xml")


def _block(route: Route) -> None:
    route.abort()
