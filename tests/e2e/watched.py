"""A page of the browser under watch: what it asks for, what its console says, and what axe finds."""

import json

from axe_playwright_python.base import AXE_SCRIPT, AxeResults

AXE = {"resultTypes": ["violations"]}
# Light and dark differ in colours only, and these are the rules that look at them.
AXE_FOR_COLOURS = {**AXE, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# A mail client puts the mail into a page of its own, which has the landmarks.
AXE_FOR_A_MAIL = {**AXE, "rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}}


class Watched:
    """Listens from now on, and looks when asked."""

    def __init__(self, page):
        self.page = page
        self.asked: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message):
        """An error, such as a refusal by the Content-Security-Policy. A page that is itself a 404 is none."""
        if message.type == "error" and message.location["url"] != self.page.url:
            self.faults.append(message.text)

    def axe_violations(self, scheme, options, context="document"):
        """What axe-core has to say in this colour scheme, for people; empty where it finds nothing.

        Half a megabyte of axe is read once a page, not once a look, and only the violations come back.
        """
        self.page.emulate_media(color_scheme=scheme)
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate(
            f"axe.run({context}, {json.dumps(options)}).then(({{ violations }}) => ({{ violations }}))"
        )
        return AxeResults(found).generate_report() if found["violations"] else ""

    def width_of_what_is_shown_on(self, width):
        """How wide the document is where the window has this width, in pixels."""
        self.page.set_viewport_size({"width": width, "height": 640})
        return self.page.evaluate("document.documentElement.scrollWidth")
