"""What all connections of one channel instance share."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.limits import Limits
from connectors.port import Gateway
from connectors.webchat.options import WebChatOptions
from connectors.webchat.tokens import Tokens


@dataclass(frozen=True, slots=True)
class House:
    instance: str
    gateway: Gateway
    tokens: Tokens
    limits: Limits
    options: WebChatOptions
