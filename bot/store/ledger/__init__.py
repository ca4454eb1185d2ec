"""The ledger of conversations: what came in, what went out, and what is still owed.

Each function belongs into a unit of `Database.write`, or reads within `Database.read`; all take the session
first. Times are aware. Numbers (`seq`) count from 1 without gaps within a conversation.
"""

from bot.store.ledger.accepting import accept
from bot.store.ledger.listing import (
    Place,
    Replies,
    Summary,
    Traced,
    begin,
    conversation,
    conversations,
    replies,
    traces,
)
from bot.store.ledger.marking import delivered, hold, vote
from bot.store.ledger.reading import (
    changed_since,
    context,
    fence,
    history_after,
    last_seq,
    status,
    trace,
    unanswered,
)
from bot.store.ledger.records import (
    Accepted,
    Committed,
    Context,
    Draft,
    Line,
    Pending,
    Reply,
    TraceRecord,
)
from bot.store.ledger.replying import commit_reply

__all__ = [
    "Accepted",
    "Committed",
    "Context",
    "Draft",
    "Line",
    "Pending",
    "Place",
    "Replies",
    "Reply",
    "Summary",
    "TraceRecord",
    "Traced",
    "accept",
    "begin",
    "changed_since",
    "commit_reply",
    "context",
    "conversation",
    "conversations",
    "delivered",
    "fence",
    "history_after",
    "hold",
    "last_seq",
    "replies",
    "status",
    "trace",
    "traces",
    "unanswered",
    "vote",
]
