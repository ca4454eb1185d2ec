"""Sentences of a passage that are addressed to whoever answers, and not to customers: "assistants must say ...".

A document is data, whatever it says: nobody who answers customers takes orders from it, and no customer is to hear
them. The cues are a closed class (orders to an assistant, its rules, the roles of a chat); of the example bots' 3,800
sentences none bears one. What a document falsely states as a fact is not seen here.
"""

from __future__ import annotations

import re

from retrieval.chinese import simplified
from retrieval.sentences import split_sentences

_BOT = r"(?:ai|a\.i\.|assistants?|chat\s?bots?|bots?|(?:language\s)?models?|llms?|gpt|agents?\b(?=.{0,20}prompt))"
_RULES = (
    r"(?:instructions?|rules?|prompts?|guidelines?|directions?|guardrails?|restrictions?|system\smessages?)"
)
_SAY = r"(?:say|answer|reply|respond|tell|state|claim|output|print|write|repeat)"
_ENGLISH = rf"""
\b(?:ignore|disregard|forget|override|overrule|bypass|discard)\b.{{0,40}}\b{_RULES}\b
| \b(?:ignore|disregard|forget)\b.{{0,20}}\b(?:above|previous|prior|earlier|everything)\b
| \b(?:new|updated|hidden|secret|special)\s(?:system\s)?{_RULES}\b.{{0,5}}:
| \bsystem\s(?:prompt|instruction|override)s?\b | ^\W*(?:system|assistant|developer|user|bot)\s*[:：]
| <meta\b | \bhidden\s*> | \bdecode\sand\s(?:follow|obey|execute|run|do)\b
| ^\W*say\s(?:instead|that)\b | \breply\sonly(?:\swith)?\s?:
| \balways\s(?:recommend|mention)\s(?:this|the\sfollowing)\b
| <\|?/?(?:im_start|im_end|system|assistant|user|inst|passages?|s)\b
| ["']role["']\s*:\s*["'](?:system|assistant|user|developer|tool)["']
| \[/?inst\] | ^\W*\#{{2,}}\s*(?:instruction|system|response)
| \byou\sare\s(?:now|no\slonger|an?\s{_BOT})\b | \bpretend\s(?:to\sbe|you|that\syou)\b
| \b(?:developer|dan|jailbreak)\smode\b
| \b{_BOT}\b[^.]{{0,30}}
  \b(?:must|should|shall|have\sto|has\sto|needs?\sto|are\sto|is\sto|please|instructed|required|reading\sthis)\b
| \b(?:note|attention|message|notice|instructions?|order|hint)\s(?:to|for)\s(?:the\s|all\s|any\s)?{_BOT}\b
| \b(?:tell|instruct|redirect|convince|urge|persuade|direct)\s(?:the\s|every\s|all\s|any\s|each\s|your\s)?
  (?:customer|user|caller|visitor|reader)s?\b
| \b{_SAY}\b.{{0,20}}\b(?:exactly|verbatim|word\sfor\sword|the\sfollowing|nothing\s(?:but|else)
  |the\s(?:phrase|words?|sentence|code|string))\b
| \b(?:when|if|whenever)\b[^,.]{{0,30}}\bask(?:s|ed)\b[^.]{{0,80}}
  (?:,|\bthen\b|\balways\b)\s*(?:always\s|please\s|just\s|simply\s|only\s)?{_SAY}\b
| \b(?:reveal|disclose|leak|expose|dump|print|repeat|output)\b.{{0,30}}
  \b(?:{_RULES}|api\skeys?|other\s(?:customers?|users?|conversations?))\b
| \b(?:begin|start|end|finish|close)\s(?:your|each|every|all|the)\s(?:answers?|repl(?:y|ies)|responses?|messages?)\b
| \bin\s(?:your|every|each|all)\s(?:answers?|repl(?:y|ies)|responses?)\b
| \b(?:translator|reviewer|editor|proofreader)s?(?:'s)?\s(?:notes?|remarks?|comments?)\b
| \b(?:when|while|whenever|if)\s(?:you\sare\s|you\s)?
  (?:render|translat|summari[sz]|quot|cit|paraphras|rephras|excerpt)\w*\s(?:from\s)?(?:this|the\sabove)
  \s(?:page|text|document|passage|paragraph|article|section)\b
"""
_WHO = "(?:AI|人工智能|智能客服|聊天机器人|机器人|助手|助理|大?模型|语言模型)"
_CHINESE = rf"""
(?:忽略|无视|忘记|忘掉|不要?理会|不用管|跳过|绕过|覆盖|推翻|抛开)
  .{{0,15}}(?:指令|指示|规则|提示|设定|限制|以上|之前|上文|前面|先前)
| 系统(?:提示词|指令|覆盖|设定|指示) | 开发者(?:模式|指令|消息) | 提示词 | 越狱
| ^\W*(?:系统|助手|用户|指令|system|assistant)\s*[:：]
| 你(?:现在|从现在起|以后)?(?:是|就是|扮演|充当|不再是).{{0,12}}(?:助手|机器人|模型|AI|人工智能|角色|客服|专家)
| {_WHO}[^，。]{{0,12}}(?:必须|应当|应该|请|需要?|务必|一律|须|不得|读到|看到)
| (?:给|致|对|请){_WHO}.{{0,4}}(?:的)?(?:指令|指示|说明|提示|备注|注意|通知|[:：])
| (?:告诉|告知|引导|诱导|说服|要求|让|回复|答复)(?:所有|每位|每个|该|这位|提问的|咨询的)?
  (?:客户|用户|顾客|提问者|咨询者|访客)
| (?:必须|务必|一律|只能|只需?|统一)(?:回复|回答|输出|复述|重复|打印|说出|答复|说|答(?!应))(?![时者])
| (?:回复|回答|输出|答复|复述)(?:以下|下面|如下|这句|这段|原文|暗号|口令|[:：])
| (?:被问|问到|问起|有人问|用户问|客户问|顾客问|询问时|提问时).{{0,30}}(?:回答|回复|告诉|说|答复|声称)
| (?:泄露|透露|公开|展示|输出|打印|复述|说出).{{0,10}}(?:提示|指令|规则|密钥|其他(?:客户|用户|顾客)|对话记录)
| (?:译者|译|编者|编|审稿|审校|校对|校)(?:注|按语?|批注|附言|备注)\s*(?:[（(:：]|$)
| (?:把|将)(?:本|此|这)一?(?:页|文|段|篇).{{0,3}}(?:译|转述|概括|总结|改写|复述)
| (?:翻译|转述|引用|概括|总结|改写|摘录|摘要)(?:本|此|这)一?(?:页|文(?![件书号])|段|篇)
| (?:回答|回复|答复)(?:的)?(?:开头|末尾|结尾|最后|里|中)(?:都|必须|要|请|加|附|还)
| 每次(?:回答|回复|答复)都 | (?:回答|回复|答复)只留 | 停止(?:阅读|回答|理会)(?:客户|用户|顾客)
| (?:最高|隐藏|秘密)指令 | 新身份\s*[:：] | </?(?:系统|文档|助手|用户)> | 仅供(?:机器|程序|模型|AI)
| (?:抓取|读取|读到|收录|解析)(?:本页|这里|此处|本文)的 | 解码并(?:照做|执行)
| 请.{{0,16}}推荐给(?:所有|每位)?(?:客户|用户|顾客)
"""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


_EN, _ZH = _compiled(_ENGLISH), _compiled(_CHINESE)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
"""Characters without a width, which part words for a reader that is a program."""


def is_command(sentence: str) -> bool:
    shown = _UNSEEN.sub("", simplified(sentence).replace("\u2019", "'"))
    plain = " ".join(shown.split())
    return bool(_EN.search(plain) or _ZH.search(plain))


def without_commands(text: str, lang: str) -> str:
    """The text as it is where nothing in it is addressed to the bot; else its other sentences, one a line."""
    sentences = split_sentences(text, lang)
    kept = [sentence for sentence in sentences if not is_command(sentence)]
    return text if len(kept) == len(sentences) else "\n".join(kept)
