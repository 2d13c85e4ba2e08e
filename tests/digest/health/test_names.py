"""The real resolver, against a name server of our own on the loopback."""

import socket
import threading

import dns.message
import dns.rcode
import dns.rrset
import pytest

from digest.health.names import How, asker, domain_of, is_reachable
from tests.digest.health.dns import counted, zone


@pytest.fixture
def name_server():
    """A UDP name server; its port, and how often it was asked."""
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    here.settimeout(0.1)
    asked, over = [], threading.Event()

    def serve():
        while not over.is_set():
            try:
                packet, sender = here.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(packet)
            name = query.question[0].name.to_text()
            asked.append(name)
            answer = dns.message.make_response(query)
            if name == "there.example.":
                texts = '"v=spf1 " "-all"'
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", texts))
            elif name == "servfail.example.":
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif name == "silent.example.":
                continue
            elif name != "empty.example.":
                answer.set_rcode(dns.rcode.NXDOMAIN)
            here.sendto(answer.to_wire(), sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield here.getsockname()[1], asked
    over.set()
    thread.join()
    here.close()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("there.example", How.FOUND),
        ("empty.example", How.NO_RECORD),
        ("gone.example", How.NO_NAME),
        ("servfail.example", How.FAILED),
        ("silent.example", How.TIMEOUT),
        ("two..dots.example", How.WRONG_NAME),
        (f"{'x' * 64}.example", How.WRONG_NAME),
    ],
)
def test_each_way_of_not_answering_has_its_word(name_server, name, how):
    patience = 0.3 if how is How.TIMEOUT else 20
    ask = asker(["127.0.0.1"], name_server[0], seconds=patience)
    assert ask(name, "TXT").how == how


def test_the_strings_of_a_record_are_one_text_and_a_question_is_asked_once(name_server):
    port, asked = name_server
    ask = asker(["127.0.0.1"], port, seconds=20)
    assert [ask("there.example", "TXT").texts for _ in range(3)] == [("v=spf1 -all",)] * 3
    assert asked == ["there.example."]


def test_nobody_there_is_known_after_one_question():
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    ask, asked = counted(asker(["127.0.0.1"], port, seconds=0.3))
    assert not is_reachable(ask)
    assert asked == [(".", "NS")]


def test_the_domain_of_an_address_is_as_the_dns_knows_it():
    assert domain_of("Daily Papers <papers@News.Example.ORG>") == "news.example.org"
    assert domain_of("papers@bücher.example") == "xn--bcher-kva.example"
    assert domain_of("") == ""


@pytest.mark.parametrize(
    ("records", "reachable"),
    [
        ({". NS": ["a.root-servers.net."]}, True),
        ({". NS": How.FAILED, "org NS": ["a0.org.afilias-nst.info."]}, True),
        ({". NS": How.FAILED}, False),
        ({". NS": How.UNREACHABLE, "org NS": ["a0.org.afilias-nst.info."]}, False),
        ({". NS": How.TIMEOUT, "org NS": ["a0.org.afilias-nst.info."]}, False),
        ({}, False),
    ],
)
def test_a_resolver_that_knows_no_name_at_all_is_no_dns(records, reachable):
    assert is_reachable(zone(records)) == reachable
