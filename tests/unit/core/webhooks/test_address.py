import pytest

from app.core.webhooks.address import Allowed, refusal

INTERNAL = {
    "127.0.0.1": "loopback",
    "127.8.9.10": "loopback",
    "::1": "loopback",
    "0.0.0.0": "unspecified",  # noqa: S104  # to be refused
    "::": "unspecified",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "private",
    "fd00::1": "private",
    "169.254.169.254": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "192.0.0.8": "reserved",
    "168.63.129.16": "reserved",
    "198.18.0.1": "reserved",
    "2001:db8::1": "reserved",
    "2001::1": "reserved",
    "fec0::1": "reserved",
    "64:ff9b:1::1": "reserved",
}
CARRYING = {
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "link-local",
    "::10.0.0.1": "reserved",
    "2002:7f00:1::": "loopback",
    "2002:a9fe:a9fe::": "link-local",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "link-local",
    "64:ff9b::a00:1": "private",
}
PUBLIC = ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::")


@pytest.mark.parametrize(("address", "kind"), [*INTERNAL.items(), *CARRYING.items()])
def test_an_internal_address_is_refused_and_called_by_its_kind(address, kind):
    fault = refusal("hooks.example.com", [address], Allowed())
    assert fault is not None
    assert kind in fault
    assert f"hooks.example.com ({address})" in fault
    assert "HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS" in fault


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not_refused(address):
    assert refusal(address, [address], Allowed()) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_address_among_good_ones_refuses_the_host(place):
    addresses = ["8.8.8.8", "2606:4700::1111"]
    addresses.insert(place, "127.0.0.1")
    assert "loopback" in (refusal("mixed.example.com", addresses, Allowed()) or "")


def test_a_host_without_addresses_is_refused():
    assert refusal("nowhere.example.com", [], Allowed()) == "nowhere.example.com has no address that could be found"


def test_what_is_no_address_is_refused():
    assert "no IP address" in (refusal("odd.example.com", ["2130706433"], Allowed()) or "")


def test_an_allowed_network_lets_its_own_addresses_through_and_no_others():
    allowed = Allowed.of(["10.1.0.0/16", "::1"])
    assert refusal("a", ["10.1.2.3"], allowed) is None
    assert refusal("a", ["::ffff:10.1.2.3"], allowed) is None
    assert refusal("a", ["::1"], allowed) is None
    assert refusal("a", ["10.2.0.1"], allowed) is not None
    assert refusal("a", ["10.1.2.3", "10.2.0.1"], allowed) is not None


def test_an_allowed_host_may_resolve_to_anything_and_no_other_host_may():
    allowed = Allowed.of(["Hooks.Intranet.example"])
    assert refusal("hooks.intranet.example", ["10.0.0.1"], allowed) is None
    assert refusal("hooks.intranet.example.", ["127.0.0.1"], allowed) is None
    assert refusal("sub.hooks.intranet.example", ["10.0.0.1"], allowed) is not None


@pytest.mark.parametrize("item", ["10.0.0.0/33", "300.1.1.1", "fe80::/200", "http://hooks", "*.example.com", "a b"])
def test_an_item_that_is_neither_network_nor_host_is_refused_by_name(item):
    with pytest.raises(ValueError, match=r"10\.1\.0\.0/16"):
        Allowed.of([item])
