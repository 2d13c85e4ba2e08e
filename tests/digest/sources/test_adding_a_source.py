import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def block(name: str) -> str:
    """The code block after the comment ``<!-- name -->`` in the guide."""
    guide = (ROOT / "docs" / "adding-a-source.md").read_text()
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", guide, re.DOTALL)
    assert found
    return found[1]


def test_the_guides_example_works_as_it_stands(tmp_path):
    """In a process of its own, with the files of the example beside the real ones."""
    here = tmp_path / "tests" / "digest" / "sources"
    (here / "payloads").mkdir(parents=True)
    (here / "payloads" / "preprints.json").write_text(block("payload"))
    (here / "test_preprints.py").write_text(block("test"))
    for name in ("conftest.py", "loopback.py"):
        (here / name).write_text((Path(__file__).parent / name).read_text())
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "preprints.py").write_text(block("source"))
    registry = f"from digest.sources import calendar, preprints\nLINE = {{{block('line').strip()}}}\n"
    (tmp_path / "beside.py").write_text(
        f"import digest.sources\ndigest.sources.__path__.append({str(extra)!r})\n"
        f"from digest.sources.base import Source\n{registry}"
    )
    (tmp_path / "alone.py").write_text("USE_TZ = True\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\nDJANGO_SETTINGS_MODULE = alone\n")
    plugins = ["-p", "beside", "-p", "pytest_django.plugin", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, str(tmp_path)]
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "6 passed" in run.stdout
