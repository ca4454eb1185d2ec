"""Rasa's REST channel, for clients that were written for Rasa. What they may rely on: docs/rasa-channel.md.

channel   routes, who may ask, waiting for the answer
parse     bytes -> what was uttered (pure)
senders   a sender -> its conversation (pure)
replies   what the engine says to one message, as it is committed
render    a committed message -> Rasa's messages (pure)

Errors (all are `connectors.errors.ConnectorError`, with a status):

Refused         unauthorised, origin_refused, no_such_message
 └─ Malformed   bad_json, bad_frame, no_sender, empty_text, too_large, bad_key
Overloaded      rate_limited, overloaded
"""

from connectors.rasa.channel import Rasa
from connectors.rasa.options import RasaOptions

__all__ = ["Rasa", "RasaOptions"]
