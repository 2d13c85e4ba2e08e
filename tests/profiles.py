"""How many examples Hypothesis tries, and what it may complain of: in one place, for every test.

``HYPOTHESIS_PROFILE`` names one of ``PROFILES``; else ``TEST_SIZE=night`` takes ``night``, ``CI=true`` takes ``ci``,
and a developer gets ``work``. tests/test_profiles.py refuses a number, a deadline or a health check set elsewhere.
"""

from collections.abc import Mapping

from hypothesis import HealthCheck, settings

PROFILES = {"fast": 5, "ci": 25, "work": 50, "night": 1_000}

# No deadline and no complaint of slowness: both measure seconds, and fail on a busy machine only. Examples may share
# a fixture of their function: those that write rows delete them first. The blob in a failure's output repeats that
# very example with @reproduce_failure. Random in CI too: twenty-five examples that are always the same never meet
# what nobody thought of, while those of each run are new; what failed is kept in .hypothesis and tried first.
EVERY = settings(
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def chosen(environment: Mapping[str, str]) -> str:
    """The name of the profile that these environment variables ask for."""
    if name := environment.get("HYPOTHESIS_PROFILE"):
        return name
    if environment.get("TEST_SIZE") == "night":
        return "night"
    return "ci" if environment.get("CI", "").lower() in {"1", "true"} else "work"


def load_profile(environment: Mapping[str, str]) -> None:
    """Register the profiles and load the chosen one.

    Raises hypothesis.errors.InvalidArgument for a name that is none of them.
    """
    for name, examples in PROFILES.items():
        settings.register_profile(name, EVERY, max_examples=examples)
    settings.load_profile(chosen(environment))


def fewer(by: int) -> settings:
    """A decorator, or settings of a state machine: the profile's number of examples divided by ``by``.

    For examples of which each costs some tenths of a second.
    """
    return settings(max_examples=max(1, settings().max_examples // by))
