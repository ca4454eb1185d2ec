from __future__ import annotations

import pytest

from connectors.origins import Origins, Peers


@pytest.mark.parametrize(
    ("origin", "host", "admitted"),
    [
        ("https://shop.example", "chat.example", True),
        ("https://shop.example:443", "chat.example", True),
        ("https://shop.example:8443", "chat.example", False),
        ("https://sub.shop.example", "chat.example", False),
        ("https://shop.example@evil.example", "chat.example", False),
        ("https://shop.example/page", "chat.example", False),
        ("http://[::1]:8080", "chat.example", True),
        ("https://chat.example", "chat.example", True),
        ("http://chat.example", "chat.example:80", True),
        ("http://chat.example:8080", "chat.example:8080", True),
        ("http://chat.example:8081", "chat.example:8080", False),
        ("null", "chat.example", False),
        ("", "", False),
        ("https://", "chat.example", False),
        ("https://[::1", "chat.example", False),
        ("https://a:99999", "chat.example", False),
        ("https://a b", "chat.example", False),
        ("https://chat.example", "[", False),
    ],
)
def test_admits(origin: str, host: str, admitted: bool) -> None:
    origins = Origins(["https://shop.example", "http://[::1]:8080"], allow_missing=False)
    assert origins.admits(origin, host=host) is admitted


def test_a_missing_origin_is_a_setting_of_its_own() -> None:
    assert not Origins(["*"], allow_missing=False).admits(None, host="chat.example")
    assert Origins([], allow_missing=True).admits(None, host="chat.example")


@pytest.mark.parametrize("wrong", ["shop.example", "https://shop.example/page", "*.shop.example", "https://"])
def test_a_list_that_could_never_match_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an origin"):
        Origins([wrong], allow_missing=False)


@pytest.mark.parametrize(
    ("remote", "forwarded", "peer"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "unknown"),
        ("2001:db8::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8::/64"),
        ("::ffff:10.0.0.1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", [], "198.51.100.1"),
        (None, [], "unknown"),
        ("", ["203.0.113.9"], "unknown"),
    ],
)
def test_peers(remote: str | None, forwarded: list[str], peer: str) -> None:
    assert Peers(["10.0.0.0/8"]).of(remote, forwarded=forwarded) == peer


def test_a_proxy_that_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="proxy"):
        Peers(["proxy.example"])
