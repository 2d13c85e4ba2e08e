"""What axe-core says of a mail."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()
# A mail client puts the mail into a page of its own, which has the landmarks.
OFF = {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}
# Off by axe's default, since it is new in WCAG 2.2 (2.5.8).
ON = {"target-size": {"enabled": True}}
OPTIONS: dict[str, dict] = {
    "light": {"rules": {**OFF, **ON}},
    # Light and dark differ in colours only, and these are the rules that look at them.
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}


def axe_faults(page: Page, html: str) -> list[str]:
    """The violations in light and in dark, with the element each is in."""
    page.set_content(html)
    faults = []
    for scheme, options in OPTIONS.items():
        page.emulate_media(color_scheme=scheme)
        for violation in AXE.run(page, options={"resultTypes": ["violations"], **options}).response["violations"]:
            where = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
            faults.append(f"axe {violation['id']}: {scheme}, {len(violation['nodes'])} times, {where}")
    page.emulate_media(color_scheme="light")
    return faults
