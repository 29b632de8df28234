"""Was it a human? What speaks against it, as codes. Pure: no Django.

Mail gateways open every link of a mail, some run scripts and press buttons (Microsoft Safe Links, Barracuda and
Proofpoint among them). Nothing here throws an answer away: what is suspected is kept, shown, and can be taken back.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

TOO_FAST_SECONDS = 1.0
"""Less than this between the page and the answer: nobody reads and taps so fast."""
BURST_SECONDS = 10
BURST_SCORES = 3
"""So many different scores for one link within the burst are a machine that tries them all."""

NO_PAGE, TOO_FAST, TRAP, BURST, AGENT = "no_page", "too_fast", "trap", "burst", "agent"
CODES = (NO_PAGE, TOO_FAST, TRAP, BURST, AGENT)

_is_scanner = re.compile(
    r"barracuda|proofpoint|mimecast|trendmicro|symantec|messagelabs|fireeye|trellix|sophos|forcepoint|zscaler"
    r"|safelinks|existence discovery|skypeuripreview|googleimageproxy|yahoomailproxy|virustotal|urlscan|checkpoint"
    r"|slackbot|twitterbot|facebookexternalhit|whatsapp|telegrambot|discordbot|linkedinbot|applebot|bingpreview"
    r"|headlesschrome|phantomjs|puppeteer|playwright|selenium|python-|curl/|wget/|go-http-client|okhttp|java/"
    r"|libwww|httpclient|axios/|node-fetch|\bbot\b|bot/|crawler|spider",
    re.IGNORECASE,
).search


@dataclass(frozen=True, slots=True)
class Act:
    """How an answer came. ``seconds`` since its page was made; None if it brings no page's stamp."""

    seconds: float | None
    agent: str
    opened_trap: bool = False
    opened_scores: Collection[int] = field(default_factory=frozenset)
    """Score links of this invitation that were opened within the burst."""


def suspicions(act: Act) -> list[str]:
    """Everything that speaks against a human, in the order of CODES."""
    found = {
        NO_PAGE: act.seconds is None,
        TOO_FAST: act.seconds is not None and act.seconds < TOO_FAST_SECONDS,
        TRAP: act.opened_trap,
        BURST: is_burst(act.opened_scores),
        AGENT: is_scanner(act.agent),
    }
    return [code for code in CODES if found[code]]


def is_scanner(agent: str) -> bool:
    """Whether a user agent is a known scanner's, a previewer's or a program library's; also when it is missing."""
    return not agent.strip() or _is_scanner(agent[:500]) is not None


def is_burst(scores: Collection[int | None]) -> bool:
    """Whether so many different scores came within the burst that no human gave them."""
    return len({score for score in scores if score is not None}) >= BURST_SCORES
