"""Licence texts, recognised by a few short phrases of each, their order, and how many words lie between them.

A phrase alone proves little: texts are quoted, cut short, and copied with a clause added ("for Good, not Evil", "non-
commercial use only"), and such a text is no longer the licence that it began as. So the body must run from its first
phrase to its last in about as many words as the licence has, with little before and after; else there is no identifier
but a name and a note. Order, case, punctuation and list numbers are ignored as in the SPDX matching guidelines.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_BYTES = 256 * 1024
"""How much of a file is looked at; no licence that we know is a third as long."""
_OTHER_WORDS = 12
_LEAD_WORDS = 80
_SLACK = 6
_NEAR = 500
_WIDE = re.compile("([\u2e80-\U0003ffff])")
_LIST_NUMBER = re.compile(r"(?<=\s)\d{1,2}\.(?=\s)")
_NOT_WORDS = re.compile(r"[^\w.+]+|_")
_SENTENCE_END = re.compile(r"(?<!\s)\.(?=\s)")


class Exactness(StrEnum):
    """How much of a licence a text holds."""

    FULL = "full"
    HEAD = "head"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedText:
    """What a text is, as far as its words show."""

    identifier: str = ""
    """The SPDX identifier; empty for a licence that has none, and for a text that is not the licence alone."""
    name: str = ""
    """The licence that it is or starts from: its SPDX identifier or, where there is none, its title."""
    exactness: Exactness = Exactness.NONE
    """FULL: opening, middle and end. HEAD: its opening, and then the text stops short."""
    note: str = ""
    """Why there is no identifier although the licence's own words are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """How to know one licence: opening and later phrases, in order; words from the first to the end of the last."""

    name: str
    opening: tuple[str, ...]
    later: tuple[str, ...] = ()
    words: int = 0
    tail: int = _OTHER_WORDS
    """How many words may follow: those of its own appendix, if there is one and it stands there."""
    appendix: str = ""
    lead: int = _LEAD_WORDS
    slack: int = 0
    telling: bool = True
    """Whether the opening alone tells the licence; short licences have openings that many others share."""
    spdx: bool = True


_GRANT = "permission is hereby granted free of charge to any person obtaining a copy"
_NOTICE = "above copyright notice and this permission notice shall be included"
_REDISTRIBUTION = "redistribution and use in source and binary forms with or without modification are permitted"
_SOURCE = "of source code must retain the above copyright notice this list of conditions and the following disclaimer"
_BINARY = (
    "binary form must reproduce the above copyright notice this list of conditions and the following disclaimer in the"
)
_ENDORSE = "be used to endorse or promote products derived from this software without specific prior written permission"
_IMPLIED = (
    "but not limited to the implied warranties of merchantability and fitness for a particular purpose are disclaimed"
)
_DAMAGE = "even if advised of the possibility of such damage"
_ICU_USE = "permission to use copy modify and or distribute this software for any purpose with or without fee is hereby"
_OLD_USE = "permission to use copy modify and distribute this software for any purpose with or without fee is hereby"
_PERFORMANCE = "in connection with the use or performance of this software"
_TERMS_END = "end of terms and conditions"
_CC_GRANT = "4.0 international public license by exercising the licensed rights"
_CC_END = "immunities that apply to the licensor or you"
_CC_NOTICE = "creative commons is not a party to its public licenses"
_HOW_TO = "how to apply"
_META_END = "exclusive jurisdiction of any dispute arising out of this agreement"
_RAIL_END = "enforcement immigration or asylum processes"

# Where two would fit, the first counts: the more particular stand before those that they extend.
LICENCE_TEXTS = (
    _Text(name="Apache-2.0", opening=("apache license version 2.0 january 2004", "terms and conditions for use"),
          later=("subject to the terms and conditions of this license each contributor",
                 "accepting any such warranty or additional liability"), words=1415, tail=190, appendix=_HOW_TO),
    _Text(name="AGPL-3.0-only", opening=("gnu affero general public license version 3 19 november 2007",),
          later=("remote network interaction use with the gnu general public license", _TERMS_END), words=5197,
          tail=385, appendix=_HOW_TO),
    _Text(name="LGPL-3.0-only", opening=("gnu lesser general public license version 3 29 june 2007",),
          later=("exception to section 3 of the gnu gpl",
          "authorization for you to choose that version for the library"),
          words=1234, tail=6500, appendix="gnu general public license version 3"),
    _Text(name="LGPL-2.1-only", opening=("gnu lesser general public license version 2.1 february 1999",),
          later=("a work that uses the library", _TERMS_END), words=4060, tail=360, appendix=_HOW_TO),
    _Text(name="GPL-3.0-only", opening=("gnu general public license version 3 29 june 2007",),
          later=("protecting users legal rights from anti circumvention law", _TERMS_END), words=5234,
          tail=465, appendix=_HOW_TO),
    _Text(name="GPL-2.0-only", opening=("gnu general public license version 2 june 1991",),
          later=("you may not copy modify sublicense or distribute the program except", _TERMS_END), words=2502,
          tail=495, appendix=_HOW_TO),
    _Text(name="MPL-2.0", opening=("mozilla public license version 2.0 definitions",),
          later=("distribution of executable form",
          "incompatible with secondary licenses as defined by the mozilla public"),
          words=2374),
    _Text(name="EPL-2.0", opening=("eclipse public license v 2.0 the accompanying program is provided",),
          later=("commercial distributors of software may accept certain",
          "no third party beneficiary rights are created"),
          words=2020, tail=130, appendix="exhibit a"),
    _Text(name="Unlicense", opening=("this is free and unencumbered software released into the public domain",),
          later=("relinquishment in perpetuity", "use or other dealings in the software"), words=191, telling=False),
    _Text(name="CC0-1.0", opening=("cc0 1.0 universal", "statement of purpose"),
          later=("public license fallback", "no duty or obligation with respect to this cc0 or use of the work"),
          words=1083),
    _Text(name="CC-BY-4.0", opening=("attribution " + _CC_GRANT,),
          later=("sui generis database rights", _CC_END), words=2029, tail=180, appendix=_CC_NOTICE, lead=600),
    _Text(name="CC-BY-SA-4.0", opening=("attribution sharealike " + _CC_GRANT,),
          later=("sui generis database rights", _CC_END), words=2231, tail=180, appendix=_CC_NOTICE, lead=600),
    _Text(name="CC-BY-NC-4.0", opening=("attribution noncommercial " + _CC_GRANT,),
          later=("sui generis database rights", _CC_END), words=2113, tail=180, appendix=_CC_NOTICE, lead=600),
    _Text(name="CC-BY-NC-SA-4.0", opening=("attribution noncommercial sharealike " + _CC_GRANT,),
          later=("sui generis database rights", _CC_END), words=2318, tail=180, appendix=_CC_NOTICE, lead=600),
    _Text(name="CC-BY-ND-4.0", opening=("attribution noderivatives " + _CC_GRANT,),
          later=("sui generis database rights", _CC_END), words=1995, tail=180, appendix=_CC_NOTICE, lead=600),
    _Text(name="CC-BY-NC-ND-4.0", opening=("attribution noncommercial noderivatives " + _CC_GRANT,),
          later=("sui generis database rights", _CC_END), words=2080, tail=180, appendix=_CC_NOTICE, lead=600),
    _Text(name="ODbL-1.0", opening=("the open database license odbl is a license agreement intended",),
          later=("derivative database", "granted in this license in order to meet the terms of this license"),
          words=4053),
    _Text(name="PDDL-1.0", opening=("the open data commons public domain dedication licence is a document intended",),
          later=("dedication to the public domain", "in order to meet the intent of this document"), words=2514),
    _Text(name="CDLA-Permissive-2.0", opening=("community data license agreement permissive version 2.0",),
          later=("provided on an as is basis", "machine learning models and models insights"), words=366),
    _Text(name="C-UDA-1.0", opening=("this is the computational use of data agreement version 1.0",),
          later=("non infringement merchantability", "material that is included in the data"), words=565),
    _Text(name="OFL-1.1", opening=("sil open font license version 1.1 26 february 2007",),
          later=("reserved font name", "or from other dealings in the font software"), words=648),
    _Text(name="BSL-1.0", opening=("boost software license version 1.0 august 17th 2003",),
          later=("machine executable object code", "use or other dealings in the software"), words=213),
    _Text(name="WTFPL", opening=("do what the fuck you want to public license version 2 december 2004",),
          later=("terms and conditions for copying distribution and modification",
          "you just do what the fuck you want to"),
          words=78, tail=60),
    _Text(name="Zlib", opening=("in no event will the authors be held liable for any damages arising from the use",),
          later=("an acknowledgment in the product", "may not be removed or altered from any source distribution"),
          words=118, telling=False),
    _Text(name="MIT", opening=(_GRANT,), later=(_NOTICE, "dealings in the software"), words=163, telling=False),
    _Text(name="MIT", opening=("mit license", _GRANT), later=(_NOTICE, "dealings in the software"), words=165),
    _Text(name="MIT-0", opening=(_GRANT + " of this software and associated documentation files",),
          later=("to do so the software is provided as is", "dealings in the software"), words=138, telling=False),
    _Text(name="BSD-3-Clause", opening=(_REDISTRIBUTION,),
          later=(_SOURCE, _BINARY, "neither the name", _ENDORSE, _IMPLIED, _DAMAGE), words=213, slack=16,
          telling=False),
    # Cut off before its disclaimer, the third clause still tells it; with another disclaimer it would be longer.
    _Text(name="BSD-3-Clause", opening=(_REDISTRIBUTION, _SOURCE, _BINARY, "neither the name", _ENDORSE), words=98,
          slack=16),
    _Text(name="BSD-2-Clause", opening=(_REDISTRIBUTION,), later=(_SOURCE, _BINARY, _IMPLIED, _DAMAGE),
          words=184, slack=10, telling=False),
    _Text(name="0BSD", opening=(_ICU_USE + " granted the software is provided",), later=(_PERFORMANCE,), words=98,
          telling=False),
    *(_Text(name="ISC", opening=(f"{use} granted provided that the above",),
            later=("and this permission notice appear in all copies", "loss of use data or profits", _PERFORMANCE),
            words=words, telling=False)
      for use, words in ((_ICU_USE, 112), (_OLD_USE, 111))),
    _Text(name="OpenMDW-1.0", opening=("openmdw license agreement version 1.0",),
          later=("any outputs generated", "use thereof or other dealings therein"), words=402),
    # Licences that restrict use. By their titles alone (no later phrases) they are never more than a HEAD.
    _Text(name="CreativeML Open RAIL-M", opening=("creativeml open rail m", "section i preamble"),
          later=("use based restrictions", _RAIL_END), words=2184, tail=60, spdx=False),
    _Text(name="CreativeML Open RAIL++-M", opening=("creativeml open rail++ m", "section i preamble"),
          later=("use based restrictions", _RAIL_END), words=2156, tail=60, spdx=False),
    _Text(name="BigScience OpenRAIL-M", opening=("bigscience open rail m license", "section i preamble"),
          later=("use based restrictions", _RAIL_END), words=2299, tail=60, spdx=False),
    _Text(name="BigScience RAIL License v1.0", opening=("bigscience rail license v1.0 dated may 19 2022",),
          later=("use based restrictions", _RAIL_END), words=2344, tail=60, spdx=False),
    _Text(name="BigCode OpenRAIL-M v1", opening=("bigcode open rail m v1 license agreement",),
          later=("restrictions in attachment a", _RAIL_END), words=1928, tail=60, spdx=False),
    _Text(name="Llama 2 Community License Agreement", opening=("llama 2 community license agreement llama 2 version",),
          later=("700 million monthly active users", _META_END), words=1096, tail=1500, spdx=False),
    _Text(name="Llama 3 Community License Agreement",
          opening=("llama 3 community license agreement meta llama 3 version",),
          later=("700 million monthly active users", _META_END), words=1195, tail=1500, spdx=False),
    *(_Text(name=f"Llama {version} Community License Agreement",
            opening=(f"llama {version} community license agreement llama {version} version",),
            later=("700 million monthly active users", _META_END), words=words, tail=1500, spdx=False)
      for version, words in (("3.1", 1209), ("3.2", 1209), ("3.3", 1255), ("4", 1208))),
    _Text(name="Gemma Terms of Use", opening=("gemma terms of use last modified",),
          later=("gemma prohibited use policy", "the exercise of any rights under this agreement"), words=1317,
          spdx=False),
    _Text(name="DeepSeek License Agreement", opening=("deepseek license agreement version 1.0",),
          later=("use based restrictions", "legally protected characteristics or categories"), words=2122, spdx=False),
    _Text(name="Qwen License Agreement", opening=("qwen license agreement", "qwen license agreement release date"),
          later=("qwen materials", "jurisdiction over any dispute arising out of this agreement"), words=1096,
          spdx=False),
    _Text(name="Tongyi Qianwen License Agreement", opening=("tongyi qianwen license agreement",),
          later=("tongyi qianwen materials", "jurisdiction over any dispute arising out of this agreement"), words=1083,
          spdx=False),
    _Text(name="NVIDIA Open Model License Agreement", opening=("nvidia open model license agreement",),
          later=("licensed by nvidia corporation under the nvidia open model license", "end users and end use"),
          words=1478,
          spdx=False),
    _Text(name="Stability AI Community License Agreement", opening=("stability ai community license agreement",),
          later=("stability ai materials", "trade sanctions laws and regulations"), words=1840, spdx=False),
    _Text(name="Stability AI Non-Commercial Research Community License Agreement",
          opening=("stability ai non commercial research community license agreement",), spdx=False, lead=_OTHER_WORDS),
    _Text(name="FLUX.1 [dev] Non-Commercial License", opening=("flux.1 dev non commercial license",),
          later=("non commercial and non production",
          "in writing and signed by an authorized representative of both you and"),
          words=2632, spdx=False),
    _Text(name="Falcon 2 11B TII License", opening=("falcon 2 11b tii license version 1.0",),
          later=("acceptable use policy", "permissions and limitations under the license"), words=2104, spdx=False),
    *(_Text(name=name, opening=(title,), spdx=False, lead=_OTHER_WORDS)
      for name, title in (
          ("Falcon LLM licence family", "falcon 180b tii license version 1.0"),
          ("Falcon LLM licence family", "falcon llm license"),
          ("Mistral AI Research License", "mistral ai research license"),
          ("Mistral AI Non-Production License", "mistral ai non production license"),
          ("DeepFloyd IF Research License Agreement", "deepfloyd if research license agreement"),
          ("FAIR Noncommercial Research License", "fair noncommercial research license"),
          ("Apple Machine Learning Research Model License Agreement", "apple machine learning research model license"),
          ("Qwen Research License Agreement", "qwen research license agreement"),
          ("Tencent Hunyuan Community License Agreement family", "tencent hunyuan community license agreement"),
          ("Grok 2 Community License Agreement", "grok 2 community license agreement"),
          ("LFM Open License v1.0", "lfm open license v1.0"),
      )),
)  # fmt: skip

# What people add to a licence, and what its close relatives have more.
# None of it stands in a text above that has an identifier.
_ADDITIONS = (
    "commons clause", "for good not evil", "non commercial use only", "non commercial purposes only",
    "noncommercial use only", "for non commercial use", "for non commercial purposes",
    "not for commercial use", "no commercial use", "may not be used for commercial", "not be used commercially",
    "commercial use is prohibited", "commercial use is not permitted", "commercial use is not allowed",
    "for research purposes only", "for research use only", "use based restrictions", "acceptable use policy",
    "monthly active users", "hippocratic license", "all advertising materials mentioning",
    "except as contained in this notice", "no express or implied licenses to any party s patent rights",
    "no patent rights are granted", "disclaimer in this position", "disclaimer as the first lines",
    "disclaimer without modification", "anti 996",
)  # fmt: skip


def recognise_licence_text(data: bytes) -> RecognisedText:
    """Which licence a text is, how much of it is there, and what speaks against an identifier."""
    text = _words(data[:MAX_BYTES].decode("utf-8", "replace"))
    for exactness in (Exactness.FULL, Exactness.HEAD):
        for known in LICENCE_TEXTS:
            span = _span(text, known, exactness)
            if span is not None:
                return _judged(text, known, span, exactness)
    return RecognisedText()


def _words(text: str) -> str:
    """Lower-case words with single spaces: no punctuation, no list numbers; each wide character is one word."""
    spaced = _LIST_NUMBER.sub(" ", " " + _WIDE.sub(r" \1 ", text.lower()) + " ")
    return f" {' '.join(_SENTENCE_END.sub('', ' ' + _NOT_WORDS.sub(' ', spaced) + ' ').split())} "


def _span(text: str, known: _Text, exactness: Exactness) -> tuple[int, int] | None:
    """Where the licence starts and ends in a text, if as much of it is there as asked."""
    start, position = _phrases(text, known.opening, 0)
    if start < 0 or text.count(" ", 0, start) > known.lead:
        return None
    _, end = _phrases(text, known.later, position)
    if exactness is Exactness.FULL:
        return (start, end) if end > 0 and known.later else None
    is_cut = known.telling and (not known.later or known.later[-1] not in text[position:])
    return (start, len(text)) if is_cut else None


def _phrases(text: str, phrases: tuple[str, ...], position: int) -> tuple[int, int]:
    """Start of the first phrase and end of the last, all found in order; (-1, -1) if one is not there."""
    first = -1
    for phrase in phrases:
        begin = text.find(f" {phrase} ", position)
        if begin < 0:
            return -1, -1
        first = begin if first < 0 else first
        position = begin + 1 + len(phrase)
    return first, position


def _judged(text: str, known: _Text, span: tuple[int, int], exactness: Exactness) -> RecognisedText:
    note = _objection(text, known, span, exactness)
    identifier = known.name if known.spdx and not note else ""
    return RecognisedText(identifier=identifier, name=known.name, exactness=exactness, note=note)


def _objection(text: str, known: _Text, span: tuple[int, int], exactness: Exactness) -> str:
    """What makes a text more, less or other than the licence; empty if nothing does."""
    start, end = span
    found = next((phrase for phrase in _ADDITIONS if known.spdx and f" {phrase} " in text), "")
    if found:
        return f"the text also says “{found}”"
    count, after = text.count(" ", start, end), text.count(" ", end) - 1
    slack = known.slack or max(_SLACK, known.words // 100)
    if exactness is Exactness.HEAD:
        return (
            "longer than the licence whose words it opens with" if known.words and count > known.words + slack else ""
        )
    if abs(count - known.words) > slack:
        return f"its body has {count} words, the licence has {known.words}"
    near = " ".join(text[end : end + _NEAR].split()[: 2 * _OTHER_WORDS])
    allowed = known.tail if known.appendix in near else _OTHER_WORDS
    return f"{after} words of other text follow" if after > allowed else ""
