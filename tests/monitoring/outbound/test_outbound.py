"""The guarded client: what it never connects to, and what it does with answers that are none."""

import socket
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network

import pytest

from monitoring import outbound
from monitoring.outbound import Refused, Unreached, addresses
from tests import certificates
from tests.monitoring.outbound.receiver import Receiver

LOOPBACK = [ip_network("127.0.0.0/8")]
PUBLIC = "93.184.216.34"


@pytest.fixture
def canary() -> Iterator[Receiver]:
    """A receiver that nobody must reach."""
    with Receiver() as made:
        yield made


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.DELIVERY_ALLOWED_NETWORKS = LOOPBACK
    with Receiver() as made:
        yield made


@pytest.fixture
def named(monkeypatch) -> Callable[..., None]:
    """named("a.test", "1.2.3.4", ..): what names lead to; all else leads nowhere but what is an address itself."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look(host, port, *arguments, **options):
        if host not in known:
            return real(host, port, *arguments, **options)
        told = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in told]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    return lambda host, *answers: known.update({host: [[each] if isinstance(each, str) else each for each in answers]})


# What leads to this machine, its neighbours or the metadata of a cloud, in all the ways that there are to write it.
HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
    "0x7f.0.0.0x1", "127.0.0.1.", "0", "0.0.0.0", "localhost", "localhost.", "LOCALHOST", "１２７.０.０.１",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:1::1]",
    "[fec0::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:0:7f00:1::]", "[::ffff:0:7f00:1]",
    "169.254.169.254", "0xa9fea9fe", "2852039166", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "192.0.0.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "255.255.255.255",
    "240.0.0.1", "203.0.113.5", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[2001:db8::1]", "[3fff::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_of_our_own_is_reached(canary, settings, host):
    for scheme, port in (("https", 443), ("https", canary.port), ("http", canary.port)):
        with pytest.raises((Refused, Unreached)):
            outbound.ask("GET", f"{scheme}://{host}:{port}/", seconds=2)
    settings.DELIVERY_ALLOWED_NETWORKS = [ip_network("192.0.2.0/24")]  # of somebody else
    with pytest.raises((Refused, Unreached)):
        outbound.ask("GET", f"http://{host}:{canary.port}/", seconds=2)
    assert canary.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://good.test@127.0.0.1/", "https://127.0.0.1\\@good.test/", "https://good.test:pass@good.test/",
        "https://good.test#@127.0.0.1/", "https://127.0.0.1%2f@good.test/", "https://good.test\t/", "https:/good.test/",
        "https:good.test", "//good.test/", "good.test", "ftp://good.test/", "file:///etc/passwd", "gopher://good.test/",
        "dict://good.test:11211/", "http://good.test/", "javascript:alert(1)", "https://", "https:///x",
        "https://good.test:99999/", "https://good.test:x/", "https://good.test:22/", "https://good test/",
        "https://good.test/\r\nX: y", "https://-good.test/", "https://good..test/", "https://[::1/", "https://[good]/",
        "https://" + "a" * 64 + ".test/", "https://good.test/" + "a" * 2000, "https://good.test\u3000/", "",
    ],
)  # fmt: skip
def test_what_two_readers_could_read_differently_is_refused(named, url):
    named("good.test", PUBLIC)
    with pytest.raises(Refused):
        outbound.places.find(url)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_the_public_internet_is_public(address):
    assert addresses.is_public(addresses.read(address))


def test_what_python_calls_global_is_judged_again():
    wrong = ["64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "::7f00:1", "ff02::1", "224.0.0.1"]
    assert any(ip_address(each).is_global for each in wrong)
    assert [each for each in wrong if addresses.is_public(addresses.read(each))] == []


def test_one_private_address_among_public_ones_refuses_the_name(named):
    named("two.test", [PUBLIC, "127.0.0.1"])
    with pytest.raises(Refused, match=r"leads to 127\.0\.0\.1") as refused:
        outbound.ask("GET", "https://two.test/")
    assert refused.value.code == "private_address"


def test_a_name_that_leads_elsewhere_the_next_time_is_reached_where_it_was_judged(named, settings, canary, tmp_path):
    settings.DELIVERY_ALLOWED_NETWORKS = [ip_network("127.0.0.2/32")]
    named("turns.test", "127.0.0.2", "127.0.0.1")
    with pytest.raises(Unreached):  # nobody listens at the address that was judged
        outbound.ask("GET", f"http://turns.test:{canary.port}/", seconds=2)
    assert canary.connections == 0


def test_it_is_sent_once_with_what_was_said_and_nothing_of_ours(receiver):
    told = outbound.ask("POST", f"http://127.0.0.1:{receiver.port}/x?y=1", body=b"{}", headers={"X-Sign": "abc"})
    assert (told.status, told.body, told.is_cut, told.is_good, told.address) == (200, b"{}", False, True, "127.0.0.1")
    (heard,) = receiver.heard
    lines = heard.decode().lower().split("\r\n")
    assert lines[0] == "post /x?y=1 http/1.1"
    assert {"x-sign: abc", "user-agent: finstage", f"host: 127.0.0.1:{receiver.port}"} <= set(lines)
    assert not [line for line in lines if line.startswith(("cookie", "authorization", "accept-encoding: gzip"))]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_is_followed(receiver, canary, status):
    told = outbound.ask("GET", f"http://127.0.0.1:{receiver.port}/status/{status}?to=http://127.0.0.1:{canary.port}/")
    assert (told.status, told.is_good, told.location) == (status, False, f"http://127.0.0.1:{canary.port}/")
    assert (canary.connections, told.retry_after) == (0, "7")


@pytest.mark.parametrize("path", ["hang", "drip", "drip-heads"])
def test_what_never_ends_is_ended(receiver, path):
    began = time.monotonic()
    with pytest.raises(Unreached) as ended:
        outbound.ask("GET", f"http://127.0.0.1:{receiver.port}/{path}/secret", seconds=1)
    assert ended.value.code == "timeout"
    assert "secret" not in str(ended.value)
    assert 0.9 < ended.value.seconds <= time.monotonic() - began


def test_what_is_large_is_cut(receiver):
    told = outbound.ask("GET", f"http://127.0.0.1:{receiver.port}/large", most_bytes=100_000)
    assert (len(told.body), told.is_cut) == (100_000, True)


def test_a_reset_and_nobody_are_said_without_the_path(receiver):
    for url in (f"http://127.0.0.1:{receiver.port}/reset/secret", "http://127.0.0.1:9/secret"):
        with pytest.raises(Unreached) as ended:
            outbound.ask("GET", url)
        assert "secret" not in str(ended.value)
        assert ended.value.code == "unreachable"


def test_a_name_that_leads_nowhere_may_do_so_later(monkeypatch):
    def look(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look)
    with pytest.raises(Unreached) as ended:
        outbound.ask("GET", "https://gone.test/secret")
    assert (ended.value.code, ended.value.temporary) == ("unknown_host", True)


def test_a_certificate_is_that_of_the_name_and_not_of_the_address(named, settings, tmp_path):
    settings.DELIVERY_ALLOWED_NETWORKS = LOOPBACK
    context = certificates.made(tmp_path / "ca.pem", ["hooks.test"])
    with Receiver(context) as made:
        named("hooks.test", "127.0.0.1")
        named("other.test", "127.0.0.1")
        with pytest.raises(Unreached):  # nobody we know vouches for it
            outbound.ask("POST", f"https://hooks.test:{made.port}/", body=b"x")
        settings.DELIVERY_CA = str(tmp_path / "ca.pem")
        assert outbound.ask("POST", f"https://hooks.test:{made.port}/", body=b"x").body == b"x"
        with pytest.raises(Unreached):
            outbound.ask("POST", f"https://other.test:{made.port}/", body=b"x")
        assert len(made.heard) == 1


def test_no_proxy_of_the_surroundings_is_asked(receiver, canary, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    assert outbound.ask("GET", f"http://127.0.0.1:{receiver.port}/").status == 200
    assert canary.connections == 0


def test_check_judges_the_address_alone(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("it asked for a name"))
    outbound.check("https://hooks.example.com/x")
    outbound.check("https://한국.kr/x")
    for url in ("https://user@hooks.example.com/", "http://hooks.example.com/", "https://0x7f000001/"):
        with pytest.raises(Refused):
            outbound.check(url)
