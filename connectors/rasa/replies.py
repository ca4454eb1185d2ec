"""What the engine says to one message: committed rows, in order, until the answer is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

from connectors.port import Frame, Gateway, Inbound, Message, Receipt
from connectors.uncut import uncut

LOOK_EVERY = 1.0
"""Seconds after which the history is read though nothing was heard: frames only wake."""
_NOT_THE_BOTS = ("human", "closed")


@asynccontextmanager
async def exchange(gateway: Gateway, inbound: Inbound) -> AsyncIterator[AsyncIterator[Message]]:
    """Stores the message; entered once it is committed. Then the replies to it, the same for the same message
    again. They end after the answer, or where a person holds the conversation. Raises `ConnectorError`."""
    async with gateway.subscribe(inbound.conversation) as frames:
        woken = asyncio.Event()
        listener = asyncio.create_task(_listen(frames, woken))
        try:
            receipt = await uncut(gateway.receive(inbound))
            async with aclosing(_replies(gateway, receipt, woken)) as replies:
                yield replies
        finally:
            listener.cancel()
            await asyncio.wait([listener])


async def _listen(frames: AsyncIterator[Frame], woken: asyncio.Event) -> None:
    async for frame in frames:
        if frame.kind == "status" or (frame.message is not None and frame.message.role != "customer"):
            woken.set()


async def _replies(gateway: Gateway, receipt: Receipt, woken: asyncio.Event) -> AsyncGenerator[Message, None]:
    conversation, seen = receipt.conversation, receipt.seq
    answered = False
    while not answered:
        woken.clear()
        held = await gateway.status(conversation) in _NOT_THE_BOTS
        for message in await gateway.history_after(conversation, seen):
            seen = message.seq
            if message.reply_to == receipt.seq:
                answered = answered or message.role != "system"
                yield message
        if held:
            return
        if not answered:
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), LOOK_EVERY)
