"""What the contract's subjects are asked: small and plain, for a model of 270 million weights has to manage."""

from __future__ import annotations

from bot.inference.generator import Exchange, Passage, Prompt

ENGLISH = Prompt(
    "Ada",
    "how long does delivery take",
    "en",
    (
        Passage(1, "How long does delivery take?", "Delivery takes 3 working days. Delivery is free."),
        Passage(2, "What does a new card cost?", "A new card costs CNY 15."),
    ),
    (Exchange("hello", "Hello, how can I help?"),),
)
CHINESE = Prompt(
    "小兰",
    "周六几点开门",
    "zh",
    (
        Passage(1, "网点周末营业吗？", "网点周六10:00至16:00营业。周日休息。"),
        Passage(2, "停车收费吗？", "停车两小时内免费。"),
    ),
)
