"""The cast, built once, and what the slow checks need."""

import pytest
from django.db import transaction

from tests.e2e.conftest import chromium, open_page  # noqa: F401 - fixtures
from tests.mail.cast import CAST, WITH_HTML
from tests.mail.checks import node
from tests.mail.mail import Mail


class Cast(dict[str, Mail]):
    """Every mail by its name, built when it is first asked for."""

    def __missing__(self, name: str) -> Mail:
        with transaction.atomic():
            self[name] = Mail(name, CAST[name]().message().as_bytes())
            transaction.set_rollback(True)  # what is looked at is the bytes; the next mail finds the house empty
        return self[name]


@pytest.fixture(scope="session")
def built():
    """The mails that this session has built."""
    return Cast()


@pytest.fixture
def cast(built, db):
    """The mails, with the database that they are built in."""
    return built


@pytest.fixture(params=list(CAST))
def mail(cast, request):
    """Each mail."""
    return cast[request.param]


@pytest.fixture(params=WITH_HTML)
def html_mail(cast, request):
    """Each mail that has an HTML part."""
    return cast[request.param]


@pytest.fixture
def page(open_page):  # noqa: F811
    """A page of the browser."""
    return open_page()


@pytest.fixture(scope="session")
def kept_reports():
    """Where the one run of the Node programs is kept."""
    return {}


@pytest.fixture
def node_reports(cast, kept_reports):
    """What html-validate and caniemail say of all mails."""
    if reason := node.missing():
        pytest.skip(reason)
    if not kept_reports:
        kept_reports["all"] = node.reports({name: cast[name].html for name in WITH_HTML})
    return kept_reports["all"]
