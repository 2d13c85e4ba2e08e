from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.both_databases
AT = datetime(2026, 3, 1, tzinfo=UTC)


def at_state(migration):
    executor = MigrationExecutor(connection)
    executor.migrate([("subscriptions", migration)])
    return executor.loader.project_state([("subscriptions", migration)]).apps


@pytest.fixture
def before(transactional_db):
    # Later migrations of the other app stand on the newest of this one only through its tables, which stay.
    yield at_state("0001_initial")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_what_readers_were_told_survives_the_move_into_a_table_of_its_own(before):
    event = before.get_model("subscriptions", "ConsentEvent")
    for wording in ("One email a day.", "One email a day.", "Another text.", ""):
        event.objects.create(email_hash="x" * 64, kind="confirmed", at=AT, where="confirm page", wording=wording)
    after = at_state("0002_readers_and_their_safety")
    told = (
        after.get_model("subscriptions", "ConsentEvent").objects.order_by("pk").values_list("wording__text", flat=True)
    )
    assert list(told) == ["One email a day.", "One email a day.", "Another text.", None]
    assert after.get_model("subscriptions", "Wording").objects.count() == 2
