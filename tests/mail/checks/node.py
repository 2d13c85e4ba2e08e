"""What html-validate and caniemail say of mails: two programs of npm, run once for many mails."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ALLOWED = HERE / "caniemail_allowed.json"
OLDEST = (20, 19)  # what both packages run on


@dataclass(frozen=True)
class Reports:
    """By the mail's name: the validator's faults; each feature that some client lacks, with those clients."""

    validity: Mapping[str, list[str]]
    features: Mapping[str, Mapping[str, list[str]]]


def missing() -> str:
    """Why the two cannot run here; empty where they can."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return "html validator and caniemail: need Node.js 20.19 or newer and npm"
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    if tuple(map(int, re.findall(r"\d+", said)[:2])) < OLDEST:
        return f"html validator and caniemail: need Node.js 20.19 or newer, this is {said.strip()}"
    if not (HERE / "node_modules").is_dir():
        return "html validator and caniemail: not installed; run `make test-mail` or `npm ci --prefix tests/mail`"
    return ""


def reports(mails: Mapping[str, str]) -> Reports:
    """Both on all these mails, HTML by name."""
    ran = subprocess.run(
        ["node", "check.mjs"], cwd=HERE, input=json.dumps(mails), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return Reports(**json.loads(ran.stdout))


def allowed() -> dict[str, str]:
    """Features that some client lacks and that mails may use all the same, with the reason."""
    return json.loads(ALLOWED.read_text())


def feature_faults(features: Mapping[str, list[str]]) -> list[str]:
    """Those of a mail that are not on the list."""
    known = allowed()
    return [f"caniemail {name}: not in {', '.join(who)}" for name, who in features.items() if name not in known]
