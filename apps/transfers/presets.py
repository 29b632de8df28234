"""Exports of other tools, recognised by the names of their columns. They change: what is missing is guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from apps.transfers.fields import plain
from apps.transfers.models import Import

Kind = Import.Kind


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of export of one tool. Names of columns are written as :func:`plain` writes them."""

    key: str
    label: str
    kinds: frozenset[str]
    signature: frozenset[str]
    """Columns that only this export has together."""
    columns: Mapping[str, str]
    """Column → target; "" is left out."""
    more_headers: frozenset[str] = field(default_factory=frozenset)
    """Texts by which rows below the header are known that are no data either."""


_ANSWERS = frozenset({Kind.RESPONSES, Kind.CONTACTS})
PRESETS: tuple[Preset, ...] = (
    Preset(
        "delighted_responses",
        "Delighted",
        _ANSWERS,
        frozenset({"score", "comment", "permalink"}),
        {
            "responseid": "response_id",
            "id": "response_id",
            "surveytype": "",
            "permalink": "",
            "personid": "",
            "person": "",
            "personname": "name",
            "personemail": "email",
            "personphonenumber": "phone",
            "createdat": "answered_at",
            "updatedat": "",
        },
    ),
    Preset(
        "delighted_people",
        "Delighted",
        frozenset({Kind.CONTACTS}),
        frozenset({"email", "name", "lastsentat"}),
        {
            "id": "",
            "phonenumber": "phone",
            "lastsentat": "",
            "nextsurveyscheduledat": "",
            "lastrespondedat": "",
            "createdat": "",
        },
    ),
    Preset(
        "delighted_unsubscribes",
        "Delighted",
        frozenset({Kind.SUPPRESSIONS}),
        frozenset({"email", "unsubscribedat"}),
        {"email": "address", "personid": "", "name": "", "unsubscribedat": ""},
    ),
    Preset(
        "surveymonkey",
        "SurveyMonkey",
        _ANSWERS,
        frozenset({"respondentid", "collectorid", "startdate", "enddate"}),
        {
            "respondentid": "response_id",
            "collectorid": "",
            "startdate": "",
            "datecreated": "",
            "datemodified": "answered_at",
            "enddate": "answered_at",
            "ipaddress": "",
            "emailaddress": "email",
        },
        frozenset({"response", "openendedresponse", "antwort", "offeneantwort"}),
    ),
    Preset(
        "qualtrics_responses",
        "Qualtrics",
        _ANSWERS,
        frozenset({"recordeddate", "responseid", "distributionchannel", "userlanguage"}),
        {
            "startdate": "",
            "enddate": "",
            "status": "",
            "ipaddress": "",
            "progress": "",
            "durationinseconds": "",
            "finished": "",
            "recordeddate": "answered_at",
            "responseid": "response_id",
            "recipientlastname": "last_name",
            "recipientfirstname": "first_name",
            "recipientemail": "email",
            "externalreference": "external_id",
            "locationlatitude": "",
            "locationlongitude": "",
            "distributionchannel": "",
            "userlanguage": "locale",
        },
        frozenset({"startdate", "importidstartdatetimezoneutc", "importidstartdate"}),
    ),
    Preset(
        "qualtrics_contacts",
        "Qualtrics",
        frozenset({Kind.CONTACTS}),
        frozenset({"firstname", "lastname", "externaldatareference"}),
        {
            "externaldatareference": "external_id",
            "language": "locale",
            "unsubscribed": "",
            "contactid": "",
            "extref": "external_id",
        },
    ),
    Preset(
        "formbricks",
        "Formbricks",
        _ANSWERS,
        frozenset({"responseid", "timestamp", "finished", "surveyid"}),
        {
            "no": "",
            "responseid": "response_id",
            "timestamp": "answered_at",
            "finished": "",
            "surveyid": "",
            "formbricksidinternal": "",
            "formbricksid": "",
            "userid": "external_id",
            "tags": "tags",
            "notes": "",
            "quotas": "",
        },
    ),
)


def recognise(*, kind: str, headers: Sequence[str]) -> Preset | None:
    """The tool that wrote such a header, if it is known."""
    names = {plain(header) for header in headers}
    return next((preset for preset in PRESETS if kind in preset.kinds and preset.signature <= names), None)


def apply(*, preset: Preset, headers: Sequence[str], guessed: Sequence[str], known: set[str]) -> list[str]:
    """The guesses, with what is known of this tool's columns in their place. No target comes twice."""
    told = [preset.columns.get(plain(header)) for header in headers]
    said = {target for target in told if target}
    found: list[str] = []
    for target, guess in zip(told, guessed, strict=True):
        wanted = target if target is not None else "" if guess in said else guess
        is_free = wanted not in found and (wanted in known or wanted.startswith("property:"))
        found.append(wanted if is_free else "")
    return found


def more_headers(*, preset: Preset | None, rows: Sequence[Sequence[str] | None]) -> int:
    """How many of the first rows below the header are no data: some tools write two or three."""
    count = 0
    for cells in rows[:2]:
        names = {plain(cell) for cell in cells or ()}
        if preset is None or not names & preset.more_headers:
            break
        count += 1
    return count
