"""Web chat: one WebSocket for each open page, or events and posted frames where none comes through. The wire is
described in docs/webchat-protocol.md.

channel   routes, handshake, the list of open connections, closing
line      what every connection has: a queue, tasks, one goodbye
session   a WebSocket's life: reader, writer, feed
http      without WebSockets: frames are posted here, and events asked for
events    a stream of server-sent events: writer, feed
outgoing  what waits to be written
opening   from hello to welcome
commands  one client frame -> the engine -> the answer
feed      what happens in the conversation -> frames, resumed from the history
timeline  what one page has been shown: nothing missing, nothing twice (pure)
frames    what a client may say; parse: bytes -> frames (pure)
render    what the server says (pure)
tokens    signed sessions
acks      what the screen has shown, told seldom

Errors (all are `connectors.errors.ConnectorError`; they become `error` frames, over HTTP with a status):

Refused
 ├─ Malformed              bad_json, bad_frame, unknown_type, too_large, empty_text, bad_key
 └─ tokens.SessionError    session_invalid, session_expired
Overloaded                 rate_limited
"""

from connectors.webchat.channel import WebChat
from connectors.webchat.options import WebChatOptions
from connectors.webchat.tokens import Tokens

__all__ = ["Tokens", "WebChat", "WebChatOptions"]
