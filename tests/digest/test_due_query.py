"""Finding the readers who are due costs what a chunk costs, however many readers there are."""

import pytest
from django.conf import settings
from django.db import connection, transaction

from digest import punctuality
from subscriptions.models import Subscriber
from tests.conftest import NOW

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are those of PostgreSQL"),
]
MANY = """
INSERT INTO subscriptions_subscriber (
    email, email_hash, state, zone, hour, weekdays, paper_limit, only_my_topics, text_only, language,
    created_at, next_due_at
)
SELECT 'reader' || n || '@example.org', md5(n::text), CASE WHEN n %% 10 = 0 THEN 'unsubscribed' ELSE 'active' END,
    'UTC', '06:30', 127, 10, false, false, 'en', %s, %s + (n %% 48 - 24) * interval '1 hour'
FROM generate_series(1, 20000) AS n
"""


@pytest.fixture
def many():
    """20,000 readers; nine of ten are active, and of these half are due."""
    with connection.cursor() as cursor:
        cursor.execute(MANY, [NOW, NOW])
        cursor.execute("ANALYZE subscriptions_subscriber")


def plan_of(last):
    """How PostgreSQL finds the next chunk behind ``last``, with the locks, by the very statement that planning sends."""
    said = []

    def listen(execute, statement, parameters, many, context):
        said.append((statement, parameters))
        return execute(statement, parameters, many, context)

    with transaction.atomic(), connection.execute_wrapper(listen):
        found = punctuality.next_chunk(NOW, last)
    (statement, parameters) = said[-1]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", parameters)
        return found, "\n".join(line for (line,) in cursor.fetchall())


def test_due_readers_are_found_by_their_index_and_never_sorted(many):
    found, plan = plan_of(None)
    assert len(found) == settings.PLAN_CHUNK
    assert "Index Scan using subscriber_due" in plan, plan
    assert "Sort" not in plan, plan
    assert "Seq Scan on subscriptions_subscriber" not in plan, plan


def test_a_run_goes_on_in_the_middle_by_the_same_index(many):
    due = Subscriber.objects.reached(NOW)
    middle = due.values_list("next_due_at", "pk")[due.count() // 2]
    found, plan = plan_of(middle)
    assert punctuality.place_of(found[0]) > middle
    assert "Index Scan using subscriber_due" in plan, plan
    assert "Sort" not in plan, plan
    # By one comparison of rows: the index is entered at the place, and not where its instant begins.
    assert "(ROW(next_due_at, id) > ROW(" in plan.partition("Index Cond")[2].partition("\n")[0], plan
