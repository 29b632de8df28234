"""Whether a domain's DNS lets a mail service send in its name. Pure: what to ask, and what the answers mean.

SPF (RFC 7208) names who may send for a Return-Path's domain; DKIM (RFC 6376) signs as the domain; DMARC (RFC 7489)
asks that one of the two speaks for the domain in “From”. A record of our own says which tenant the domain belongs to.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

MAX_LOOKUPS = 10
"""RFC 7208, 4.6.4: a receiver gives up on an SPF record that needs more."""
MAX_QUESTIONS = 25
SUGGESTED_DMARC = "v=DMARC1; p=none"

Question = tuple[str, str]
"""A name and a record type."""
Answers = Mapping[Question, Sequence[str] | None]
"""Records by question; none found is empty, no answer (in time) is None."""


class State(StrEnum):
    """What was found, against what should be there."""

    OK = "ok"
    MISSING = "missing"
    DIFFERENT = "different"
    SEVERAL = "several"
    TOO_MANY_LOOKUPS = "too_many_lookups"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"
    """The mail service does not say what it needs."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should stand in a domain's DNS; empty where the mail service does not say. Names in lower case."""

    domain: str
    proof: str
    spf_include: str = ""
    dkim_selector: str = ""
    dkim_target: str = ""
    dkim_value: str = ""
    return_path_label: str = "bounces"
    return_path_target: str = ""

    @property
    def proof_host(self) -> str:
        return f"_resonanz.{self.domain}"

    @property
    def dkim_host(self) -> str:
        return f"{self.dkim_selector}._domainkey.{self.domain}"

    @property
    def return_path_host(self) -> str:
        return f"{self.return_path_label}.{self.domain}"

    @property
    def dmarc_hosts(self) -> list[str]:
        """Where receivers look for the policy: at the domain, else at one above it, but not at a top level."""
        labels = self.domain.split(".")
        return [f"_dmarc.{'.'.join(labels[start:])}" for start in range(max(1, min(len(labels) - 1, 8)))]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: which record, where, what to put there, and what is there."""

    record: str
    host: str
    type: str
    value: str
    state: State
    found: list[str] = field(default_factory=list)
    lookups: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def questions(wanted: Wanted, answers: Answers) -> list[Question]:
    """What is still to be asked, in view of the answers so far; bounded however records refer to one another."""
    asked: list[Question] = [(wanted.proof_host, "TXT"), (wanted.domain, "TXT")]
    if wanted.dkim_selector:
        asked.append((wanted.dkim_host, "TXT" if wanted.dkim_value else "CNAME"))
    if wanted.return_path_target:
        asked.append((wanted.return_path_host, "CNAME"))
    asked += _dmarc_questions(wanted, answers)
    asked += [(name, "TXT") for name in _Spf(answers).walk(wanted.domain).names]
    return [question for question in dict.fromkeys(asked[:MAX_QUESTIONS]) if question not in answers]


def findings(wanted: Wanted, answers: Answers) -> list[Finding]:
    """The table of a domain."""
    return [_proof(wanted, answers), _dkim(wanted, answers), _spf(wanted, answers), _return_path(wanted, answers),
            _dmarc(wanted, answers)]  # fmt: skip


def is_verified(table: Sequence[Finding]) -> bool:
    """Ours to use, signed as the domain, a DMARC policy, and SPF or the Return-Path speaking for it as well."""
    good = {finding.record for finding in table if finding.state == State.OK}
    return {"owner", "dkim", "dmarc"} <= good and bool({"spf", "return_path"} & good)


def is_unanswered(table: Sequence[Finding]) -> bool:
    """Whether DNS gave no answer on something that matters: then nothing is known, good or bad."""
    return any(finding.state == State.UNANSWERED for finding in table)


def _proof(wanted: Wanted, answers: Answers) -> Finding:
    found = answers.get((wanted.proof_host, "TXT"))
    state = _compare(found, any(text.strip() == wanted.proof for text in found or ()))
    return Finding("owner", wanted.proof_host, "TXT", wanted.proof, state, list(found or ()))


def _dkim(wanted: Wanted, answers: Answers) -> Finding:
    if not wanted.dkim_selector or not (wanted.dkim_target or wanted.dkim_value):
        return Finding("dkim", "", "", "", State.UNKNOWN)
    if wanted.dkim_value:
        found = answers.get((wanted.dkim_host, "TXT"))
        key = _tags(wanted.dkim_value).get("p", "")
        same = bool(key) and any(_tags(text).get("p", "") == key for text in found or ())
        state = _compare(found, same)
        return Finding("dkim", wanted.dkim_host, "TXT", wanted.dkim_value, state, list(found or ()))
    target = wanted.dkim_target.replace("{domain}", wanted.domain)
    return _cname("dkim", wanted.dkim_host, target, answers)


def _return_path(wanted: Wanted, answers: Answers) -> Finding:
    if not wanted.return_path_target:
        return Finding("return_path", "", "", "", State.UNKNOWN)
    target = wanted.return_path_target.replace("{domain}", wanted.domain)
    return _cname("return_path", wanted.return_path_host, target, answers)


def _cname(record: str, host: str, target: str, answers: Answers) -> Finding:
    found = answers.get((host, "CNAME"))
    state = _compare(found, any(_plain(name) == _plain(target) for name in found or ()))
    return Finding(record, host, "CNAME", target, state, list(found or ()))


def _compare(found: Sequence[str] | None, same: bool) -> State:
    if found is None:
        return State.UNANSWERED
    if same:
        return State.OK
    return State.DIFFERENT if found else State.MISSING


def _plain(name: str) -> str:
    return name.strip().rstrip(".").lower()


def _tags(text: str) -> dict[str, str]:
    """``a=b; c=d`` as a dict, without the spaces that long keys are broken with."""
    parts = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, sign, value in parts if sign}


# --- DMARC --------------------------------------------------------------------------------------


def _dmarc_questions(wanted: Wanted, answers: Answers) -> Iterator[Question]:
    """One after another: the next one up only where the one below has nothing."""
    for host in wanted.dmarc_hosts:
        yield host, "TXT"
        if (host, "TXT") not in answers or answers[host, "TXT"] is None or _policies(answers, host):
            return


def _policies(answers: Answers, host: str) -> list[str]:
    return [text for text in answers.get((host, "TXT")) or () if text.replace(" ", "").lower().startswith("v=dmarc1")]


def _dmarc(wanted: Wanted, answers: Answers) -> Finding:
    host = wanted.dmarc_hosts[0]
    for place in wanted.dmarc_hosts:
        if answers.get((place, "TXT")) is None:
            return Finding("dmarc", host, "TXT", SUGGESTED_DMARC, State.UNANSWERED)
        found = _policies(answers, place)
        if len(found) > 1:
            return Finding("dmarc", place, "TXT", found[0], State.SEVERAL, found)
        if found:
            valid = _tags(found[0]).get("p", "").lower() in {"none", "quarantine", "reject"}
            value = found[0] if valid else SUGGESTED_DMARC
            return Finding("dmarc", place, "TXT", value, State.OK if valid else State.DIFFERENT, found)
    return Finding("dmarc", host, "TXT", SUGGESTED_DMARC, State.MISSING)


# --- SPF ----------------------------------------------------------------------------------------


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


class _Spf:
    """A walk along a record and those that it includes, counting what a receiver has to look up."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.names: list[str] = []
        self.lookups = 0
        self.is_unanswered = False

    def walk(self, domain: str) -> "_Spf":
        pending = [domain]
        while pending and len(self.names) <= MAX_LOOKUPS + 1:
            name = pending.pop(0)
            if name in self.names:
                continue
            self.names.append(name)
            found = self.answers.get((name, "TXT"), ())
            self.is_unanswered |= found is None
            for text in [text for text in found or () if _is_spf(text)][:1]:
                pending += self._terms(text)
        return self

    def _terms(self, text: str) -> list[str]:
        """Counts the terms that need a lookup; returns the names of further records."""
        further = []
        for term in text.lower().split()[1:]:
            bare = term.lstrip("+-~?")
            name = bare.partition(":")[2] if bare.startswith("include:") else ""
            name = bare.partition("=")[2] if bare.startswith("redirect=") else name
            if name or bare.split(":")[0].split("/")[0] in {"a", "mx", "ptr", "exists"}:
                self.lookups += 1
            if name and "%" not in name and "." in name and len(name) <= 253:
                further.append(_plain(name))
        return further


def _spf(wanted: Wanted, answers: Answers) -> Finding:
    include = _plain(wanted.spf_include)
    if not include:
        return Finding("spf", "", "", "", State.UNKNOWN)
    found = answers.get((wanted.domain, "TXT"))
    records = [text for text in found or () if _is_spf(text)]
    walk = _Spf(answers).walk(wanted.domain)
    is_there = include in walk.names[1:]
    value = records[0] if is_there and len(records) == 1 else _with_include(records, include)
    state = _compare(found if found is None else records, is_there)
    if len(records) > 1:
        state = State.SEVERAL
    elif state == State.OK and walk.lookups > MAX_LOOKUPS:
        state = State.TOO_MANY_LOOKUPS
    elif state == State.DIFFERENT and walk.is_unanswered:
        state = State.UNANSWERED
    return Finding("spf", wanted.domain, "TXT", value, state, records, walk.lookups)


def _with_include(records: Sequence[str], include: str) -> str:
    """One record of all there are, with what is missing put in first."""
    terms = list(dict.fromkeys(term for record in records for term in record.split()[1:]))
    ends = [term for term in terms if term.lower().lstrip("+-~?") == "all"]
    others = [term for term in terms if term not in ends and term.lower() != f"include:{include}"]
    return " ".join(["v=spf1", f"include:{include}", *others, *(ends[:1] or ["~all"])])
