"""config.settings in the environment of the tests: so a bare ``pytest`` works, without servers, on SQLite."""

import os
from pathlib import Path

from tests.environment import test_environment

DATABASE = Path(__file__).resolve().parent.parent / "var" / "tests.sqlite3"
DATABASE.parent.mkdir(exist_ok=True)
for name, value in test_environment(f"sqlite:///{DATABASE}", "redis://127.0.0.1:1/0").items():
    os.environ.setdefault(name, value)

from config.settings import *  # noqa: E402, F403 - after the environment, and whole: these are the real settings
