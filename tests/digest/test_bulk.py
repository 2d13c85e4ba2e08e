import pytest
from django.db import DataError, IntegrityError

from digest import bulk
from digest.models import Paper, Signal
from tests.conftest import NOW, make_paper

pytestmark = pytest.mark.django_db


def rows(*keys, **fields):
    return [Paper(key=key, title=f"Of {key}", first_seen_at=NOW, **fields) for key in keys]


def test_new_rows_get_their_ids_and_come_back_as_they_were():
    created = rows("a", "b", authors=['Ana "Bo" Exemplar', "\\N", "tab\there"], abstract="Zeile\nzwei – ✓", upvotes=3)
    bulk.create(created)
    for paper in created:
        again = Paper.objects.get(pk=paper.pk)
        assert again.key == paper.key
        assert (again.authors, again.abstract, again.upvotes) == (paper.authors, paper.abstract, 3)
        assert (again.merged_into, again.doi, again.edited) == (None, None, [])
        assert not paper._state.adding
    assert make_paper(1).pk > max(p.pk for p in created), "the next id is free"


def test_a_row_that_is_there_already_is_an_integrity_error_and_none_is_stored(transactional_db):
    bulk.create(rows("a"))
    with pytest.raises(IntegrityError):
        bulk.create(rows("b", "a"))
    assert [p.key for p in Paper.objects.all()] == ["a"]


def test_what_the_database_cannot_keep_is_an_error_of_django(transactional_db):
    paper = make_paper(1)
    with pytest.raises((DataError, IntegrityError, OverflowError)):
        bulk.insert(Signal, ("paper_id", "hour", "upvotes", "comments", "stars"), [(paper.pk, NOW, 2**80, 0, None)])


def test_any_of_finds_what_in_finds():
    bulk.create(rows("a", "b", "c", doi=None) + rows("d", doi="10.1000/1"))

    def keys(**lookup):
        return sorted(Paper.objects.filter(**lookup).values_list("key", flat=True))

    assert keys(key__any_of=["a", "c", "c", "nowhere"]) == ["a", "c"]
    assert keys(key__any_of=[]) == []
    assert keys(doi__any_of=[None, "10.1000/1"]) == ["d"]
    assert keys(doi__any_of=[None]) == []
    ids = list(Paper.objects.values_list("pk", flat=True))
    assert keys(pk__any_of=ids * 20) == ["a", "b", "c", "d"]
