"""Messages that only say what is not wanted, or what did not happen: "please don't block my card", 我不想挂失.

An encoder puts such a message beside its opposite. It is told by a closed class of cues: a wish, an intention or an
order with a negation, and a mishap that is denied ("my card was not stolen"). What merely went wrong is none ("I can't
log in", 收不到验证码), nor is a thing that is wanted no more (这张卡不想要了): to end it is what such a customer wants.
"""

from __future__ import annotations

import re

from retrieval.chinese import simplified

_NOT = r"(?:\bnot|n't|\b(?:do|did|does|was|have|has|had|is|are|would)nt)\s"
_ENGLISH = rf"""
# a wish: "I don't want to ...", "I wasn't asking how to ...", "I don't want my card blocked"
{_NOT} (?:really\s|even\s|actually\s)?
  (?:want|wish|need|mean|intend|plan|like|care|going|trying|planning|looking|asking)\s (?:you\s|anyone\s)?(?:how\s)?to\b
| {_NOT} wanna\b
| {_NOT} (?:want|need|like)\s (?:my|the|this|that|any|an?)\s (?:\w+\s){{1,3}}? (?:to\sbe\s)?\w{{2,}}(?:ed|en)\b
| \bno\slonger\s (?:want|wish|need|plan|intend)\sto\b
| \bnever\s (?:want|wanted|asked|meant|planned|intended)\s (?:you\s)?to\b
| \b(?:rather|prefer|decided)\snot\b | \bno\s(?:need|intention|plans?)\s(?:to|of)\b
| {_NOT} (?:necessary|needed|required)\b | \b(?:can|could|would)\syou\s(?:please\s)?not\b
# an order: "please don't ...". In "don't know how" it is the I that is left out.
| (?:^|\b(?:please|pls|plz)\s)(?:please\s)?(?:do\snot|don't|dont)\s (?:you\s|ever\s|just\s)?
  (?!(?:know|have|get|got|see|understand|want|need|remember|receive|recogni[sz]e|work|think|like|mind|agree|believe|own|
  seem|find)\b)[a-z]
# the same with "never". After "I never" it tells what did not happen, and so it does where the I is left out.
| (?:^|\b(?:please|pls|plz)\s)never\s
  (?!(?:mind|again|got|came|had|saw|been|was|were|did|heard|knew|gave|told|sent|found|went|made|said|left|took|seen|done|taken|given|
  notice)\b
  |\w+ed\b)[a-z]+\s
# what somebody is not about: "I'm not complaining". What does not come about ("I'm not getting a code") is none.
| \b(?:i'?m|i\sam|we're|we\sare)\snot\s (?:really\s|actually\s)?
  (?:complaining|requesting|claiming|demanding|disputing|reporting|saying|applying|ordering|buying|returning|cancell?ing|
  closing)\b
# a mishap: "I haven't lost ..."
| (?:{_NOT}|\bnever\s) (?:been\s|actually\s|really\s)?
  (?:lost|lose|stolen|forgotten|forgot|forget|broken|break|damaged|missing|hacked|scammed)\b
"""
_CHINESE = r"""
(?<![要用想能类区识级性特分辨告离个]) (?:
  (?:不想|不愿意?|没想过?|[没不]打算|不准备|没说要?|没让你们?|没要求|不是[想要]) (?!再?要|到)
  | (?:不要|不用|不需要|不必|无需|用不着|没必要|先别|别|勿|[先暂]时?不)
    (?:给我|帮我|替我|把|再|急着)* (?![了的人家处名样会这那])
) \w
| 没有?\w{1,8}(?:的意思|的打算)
| (?:没有?|并未) (?:被|有)? (?:丢|偷|盗刷|忘|坏|遗失|吞|受骗|骗)
"""
_ASKING = r"""
\b(?:how|what|which|where|when|why|who|can\s(?:i|we|it|my)|could\s(?:i|we)|may\si|do\s(?:i|you))\b
| \b(?:is\s(?:it|there)|are\sthere|just|only|instead|i\swant|i'd\slike|i\sneed)\b
| 怎么|怎样|如何|什么|多少|哪|几|吗|呢|能不能|可不可以|是不是|有没有|要不要|咋|啥|行不|不$
| 只想|只要|我要|我想|而是|^改|^换|^给我
"""
_POLITE = re.compile(r"\b(?:can|could|would) you (?:please )?not\b|(?:asking|know) how to\b", re.IGNORECASE)
"""An order, and no question, whatever it looks like."""
_NO = re.compile(r"\bno|\bnever|n't|[odse]nt\b|[不没别勿无未]", re.IGNORECASE)
"""Every cue holds one of these, and few messages do."""
_CLAUSES = re.compile(r"[，。；！？,.;!?\n]+|\bbut\b|但是?|因为|\bbecause\b", re.IGNORECASE)


def refuses(text: str) -> bool:
    """True where the message bears such a cue, and neither asks nor wishes for anything beside it."""
    plain = " ".join(simplified(text).replace("\u2019", "'").split())
    if not _NO.search(plain):
        return False
    clauses = [clause.strip() for clause in _CLAUSES.split(plain)]
    cues = [bool(_CUE_EN.search(clause) or _CUE_ZH.search(clause)) for clause in clauses]
    return any(cues) and not any(_asks(clause) for clause in clauses)


def _asks(clause: str) -> bool:
    return bool(_ASKS.search(_POLITE.sub("", clause)))


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


_CUE_EN, _CUE_ZH, _ASKS = _compiled(_ENGLISH), _compiled(_CHINESE), _compiled(_ASKING)
