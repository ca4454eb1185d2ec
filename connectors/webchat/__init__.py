"""Web chat: one WebSocket for each open page. The wire is described in docs/webchat-protocol.md.

channel   routes, handshake, the list of open sockets, closing
session   one connection's life: reader, writer, feed, goodbye
outgoing  what waits to be written
opening   from hello to welcome
commands  one client frame -> the engine -> the answer
feed      what happens in the conversation -> frames, resumed from the history
timeline  what one page has been shown: nothing missing, nothing twice (pure)
frames    what a client may say; parse: bytes -> frames (pure)
render    what the server says (pure)
tokens    signed sessions
acks      what the screen has shown, told seldom
limits    how much one session and one address may say
origins   which pages may connect, and who the peer is behind a proxy

Errors (all are `connectors.errors.ConnectorError`; they become `error` frames):

Refused
 ├─ frames.FrameError      bad_json, bad_frame, unknown_type, too_large, empty_text
 └─ tokens.SessionError    session_invalid, session_expired
Overloaded                 rate_limited
"""

from connectors.webchat.channel import WebChat
from connectors.webchat.options import WebChatOptions
from connectors.webchat.tokens import Tokens

__all__ = ["Tokens", "WebChat", "WebChatOptions"]
