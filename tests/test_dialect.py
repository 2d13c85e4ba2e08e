"""The rule of tests/dialect.py: what runs on both databases."""

from tests.dialect import ROOT, dialect, touches


def test_every_module_that_asks_for_its_database_is_tried_on_both():
    tried = frozenset().union(*(touches(path) for path in (ROOT / "tests").rglob("test_*.py")))
    # The demo has no test file that imports it: tests/e2e/test_two_days.py runs its processes, and carries the mark.
    assert dialect() - tried <= {"digest.management.commands.demo", "digest.papers", "digest.compiled"}
    assert {"digest.bulk", "digest.ledger", "subscriptions.guard"} <= tried


def test_a_file_touches_what_it_imports_and_what_is_in_the_room_that_it_imports():
    assert "digest.ledger" in touches(ROOT / "tests" / "digest" / "test_ledger.py")
    assert "digest.outcomes.events" in touches(ROOT / "tests" / "digest" / "test_events.py")
    assert not touches(ROOT / "tests" / "digest" / "test_vectors.py")


def test_migrations_locks_and_the_demo_carry_the_mark():
    for name in ("subscriptions/test_migrations", "digest/test_claims", "digest/test_papers", "e2e/test_two_days"):
        assert "both_databases" in (ROOT / "tests" / f"{name}.py").read_text(), name
