from __future__ import annotations

import subprocess
import sys

import pytest

from connectors.port import Channel
from connectors.testing import MemoryGateway
from connectors.webchat import Tokens, WebChat, WebChatOptions

TOKENS = Tokens(["a-key-for-tests-of-more-than-32-characters"])


def test_it_is_a_channel_with_a_socket_and_a_way_without() -> None:
    channel: Channel = WebChat("shop-1", MemoryGateway(), tokens=TOKENS, options=WebChatOptions())
    assert channel.instance == "shop-1"
    ways = {"ws": ["GET"], "events": ["GET", "OPTIONS"], "messages": ["OPTIONS", "POST"]}
    expected = {(method, f"/channels/shop-1/{name}") for name, methods in ways.items() for method in methods}
    assert {(route.method, route.path) for route in channel.routes()} == expected


@pytest.mark.parametrize("instance", ["", "a/b", "a b", "{x}", "x" * 65, "店"])
def test_an_instance_name_fits_into_a_path(instance: str) -> None:
    with pytest.raises(ValueError, match="instance"):
        WebChat(instance, MemoryGateway(), tokens=TOKENS, options=WebChatOptions())


@pytest.mark.parametrize(
    "options", [WebChatOptions(origins=("shop",)), WebChatOptions(trusted_proxies=("x",))]
)
def test_wrong_options_are_refused_when_the_server_starts(options: WebChatOptions) -> None:
    with pytest.raises(ValueError, match=r"origin|network"):
        WebChat("web", MemoryGateway(), tokens=TOKENS, options=options)


def test_the_channel_imports_nothing_of_the_engine() -> None:
    program = (
        "import sys, connectors.webchat;"
        "print([m for m in sys.modules if m.split('.')[0] in ('bot', 'retrieval', 'training', 'numpy')])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
