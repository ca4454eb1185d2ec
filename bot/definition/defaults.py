"""What a bot says where its folder does not say otherwise. `{bot}` becomes the bot's name.

`handoff*`, `refuse`, `differ`, `clarify`, `late`, `error`, `empty` and the social ones are messages;
`other_language` stands above an answer in another language than the customer's, `partly` below one that leaves a part
of a message open;
`offer_person` and `none_of_these` are labels of buttons.
"""

from __future__ import annotations

from collections.abc import Mapping

RESPONSES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "greet": {
        "en": ("Hello! How can I help you?", "Hi there! What can I do for you?"),
        "zh": ("您好！请问有什么可以帮您？", "您好，很高兴为您服务，请问您想了解什么？"),
    },
    "thanks": {
        "en": ("You are welcome! Is there anything else?", "Glad I could help."),
        "zh": ("不客气！还有其他可以帮您的吗？", "很高兴能帮到您。"),
    },
    "goodbye": {
        "en": ("Goodbye! Come back at any time.", "Bye, and have a good day!"),
        "zh": ("再见！有问题随时来找我。", "再见，祝您生活愉快！"),
    },
    "identity": {
        "en": (
            "I am {bot}, an automated assistant, not a person. I can pass you to a colleague if you like.",
        ),
        "zh": ("我是{bot}，一个自动客服助手，不是真人。如有需要，我可以为您转接人工客服。",),
    },
    "capabilities": {
        "en": (
            "I answer questions from what I have been given to read, and pass you to a person for the rest.",
        ),
        "zh": ("我可以根据已有的资料回答您的问题；回答不了的，会为您转接人工客服。",),
    },
    "handoff": {
        "en": (
            "I am passing you to a colleague, who sees what was written here and will answer in this chat.",
        ),
        "zh": ("正在为您转接人工客服。客服人员能看到以上对话，并会在这里回复您。",),
    },
    "handoff_already": {
        "en": (
            "Our colleagues have your conversation already. Please stay here: they will answer in this chat.",
        ),
        "zh": ("您的对话已转给人工客服，请稍候，客服人员会在这里回复您。",),
    },
    "refuse": {
        "en": (
            "I have no reliable answer to that, so I would rather not guess. I can pass you to a person.",
            "I do not know that for certain. Could you put it differently, or shall a person help you?",
        ),
        "zh": (
            "这个问题我没有可靠的资料，不能随便回答您。需要的话，我可以为您转接人工客服。",
            "抱歉，这个问题我没有把握。您可以换个说法，或者由人工客服为您解答。",
        ),
    },
    "differ": {
        "en": ("My sources do not agree on this. A person can tell you which one holds.",),
        "zh": ("关于这一点，我的资料说法不一，以人工客服的答复为准。",),
    },
    "clarify": {
        "en": ("I want to be sure I understand. Which of these do you mean?",),
        "zh": ("为了准确回答您，请问您想问的是下面哪一个？",),
    },
    "late": {
        "en": ("This takes longer than usual. Please stay here: the answer will follow in this chat.",),
        "zh": ("处理时间比平时长一些，请稍候，答复会发送到这里。",),
    },
    "error": {
        "en": ("Something went wrong on our side. Your message is stored; try again, or ask for a person.",),
        "zh": ("系统出现了问题，您的消息已保存。请稍后再试，或要求转接人工客服。",),
    },
    "empty": {
        "en": ("I received a message without text. Please write your question.",),
        "zh": ("没有收到文字内容，请把您的问题写下来。",),
    },
    "other_language": {
        "en": ("I have this in Chinese only:",),
        "zh": ("这部分资料只有英文：",),
    },
    "partly": {
        "en": ("I am not sure about the rest of your message. A person can help with that.",),
        "zh": ("您问的其余部分我没有把握，可以转人工客服为您解答。",),
    },
    "offer_person": {"en": ("Talk to a person",), "zh": ("转人工客服",)},
    "none_of_these": {"en": ("None of these",), "zh": ("以上都不是",)},
}
