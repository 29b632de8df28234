"""All that the sequence editor's scripts say and offer, as JSON."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.campaigns.admin.vocabulary import vocabulary
from apps.campaigns.names import Names
from apps.campaigns.sequence import KINDS, MAX_STEPS
from apps.campaigns.wording import HINTS, STEP_ICONS, STEPS

SIGNS = (
    "plus", "ellipsis", "arrow-up", "arrow-down", "copy", "trash-2", "undo-2", "redo-2", "triangle-alert", "flag",
    "play", "log-out", "corner-down-right", "arrow-left-right", "x", "grip-vertical",
)  # fmt: skip
"""Icons beside those of the kinds of steps."""


def editor_words(names: Names) -> dict[str, Any]:
    """Kinds, choices, variables, texts. Two queries, for properties that were seen."""
    return {
        "kinds": {kind: {"label": str(STEPS[kind]), "hint": str(HINTS[kind])} for kind in KINDS},
        "languages": [[code, str(name)] for code, name in settings.LANGUAGES],
        "maxSteps": MAX_STEPS,
        "templates": [[str(pk), name] for pk, name in names.templates.items()],
        "pools": [[str(pk), name] for pk, name in names.pools.items()],
        "surveys": [[str(pk), name] for pk, name in names.surveys.items()],
        "variables": _variables(),
        "branch": vocabulary(names, is_entry=False),
        "texts": {**_picture(), **_forms(), **_hints(), **_labels()},
    }


def icons() -> list[tuple[str, str]]:
    """All icons that the picture needs: what scripts call them, and what they are called."""
    return [*STEP_ICONS.items(), *((sign, sign) for sign in SIGNS)]


def _variables() -> list[list[str]]:
    return [
        ["{{ first_name }}", _("first name")],
        ["{{ name }}", _("whole name")],
        ["{{ score }}", _("the score that was given")],
        ["{{ comment }}", _("the comment that was written")],
        ["{{ touchpoint }}", _("where the contact met you")],
        ["{{ company }}", _("the contact's company")],
        ["{{ external_id }}", _("the contact's id in your systems")],
        ["{{ brand }}", _("your brand name")],
        ["{{ voucher }}", _("code of the voucher that a step before gave")],
        ["{{ voucher_value }}", _("what the voucher is worth")],
        ["{{ voucher_until }}", _("until when the voucher holds")],
        ["{{ call_back_url }}", _("page to ask for a call")],
        ["{{ answer_url }}", _("page to add to the answer")],
    ]


def _picture() -> dict[str, str]:
    return {
        "picture": _("The sequence"),
        "end": _("End"),
        "yes": _("Yes"),
        "no": _("No"),
        "yes_way": _("If yes"),
        "no_way": _("If no"),
        "nothing": _("Nothing happens; it goes on below."),
        "step": _("Step {number}: {kind}"),
        "add_first": _("Add the first step"),
        "add_after": _("Insert a step after step {number}"),
        "add_yes": _("Insert a step at the beginning of “yes” of step {number}"),
        "add_no": _("Insert a step at the beginning of “no” of step {number}"),
        "add_start": _("Insert a step at the beginning"),
        "more": _("What to do with step {number}"),
        "up": _("Move up"),
        "down": _("Move down"),
        "into_yes": _("Move into “yes” of step {number}"),
        "into_no": _("Move into “no” of step {number}"),
        "out": _("Move out of the branch"),
        "other_way": _("Move to the other way"),
        "duplicate": _("Duplicate"),
        "delete": _("Delete"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "as_text": _("Edit as text"),
        "as_picture": _("Edit as a picture"),
        "unreadable": _("This cannot be shown as a picture; change it as text."),
        "problems_one": _("One thing to mend before it can be published"),
        "problems_many": _("{count} things to mend before it can be published"),
        "no_problems": _("Ready to be published."),
        "failed": _("It could not be checked just now."),
        "moved": _("Moved."),
        "deleted": _("Deleted. “Undo” brings it back."),
        "duplicated": _("Duplicated."),
        "added": _("Added."),
        "full": _("There are {limit} steps; more do not fit into one campaign."),
    }


def _forms() -> dict[str, str]:
    return {
        "choose_kind": _("What happens next?"),
        "cancel": _("Cancel"),
        "done": _("Done"),
        "choose": _("choose …"),
        "default_template": _("own words below; without any, the default template"),
        "variables": _("Variables"),
        "variables_hint": _("A click inserts the variable where you last wrote."),
        "no_comment": _("Other words where there is no comment"),
        "more_settings": _("When it goes out"),
        "seconds_unit": _("seconds"),
        "minutes_unit": _("minutes"),
        "hours_unit": _("hours"),
        "days_unit": _("days"),
        "weeks_unit": _("weeks"),
        "unit": _("Unit"),
        "mode_time": _("a time"),
        "mode_working_days": _("working days"),
        "mode_morning": _("until the morning"),
        "preview": _("Preview"),
        "preview_language": _("Language"),
        "preview_answer": _("For which answer"),
        "sample": _("an invented answer"),
        "preview_comment": _("Comment"),
        "with_comment": _("with a comment"),
        "without_comment": _("without a comment"),
        "preview_send": _("Send a test to me"),
        "preview_failed": _("That did not work. Try it again; if it stays so, load the page anew."),
        "preview_text": _("Text part"),
        "open_preview": _("Show the mail"),
    }


def _hints() -> dict[str, str]:
    return {
        "tags_hint": _("Several are parted by commas."),
        "late_hint": _("So long after its time it still makes sense. Empty: 7 days."),
        "budget_hint": _("It waits until the contact may be written to again."),
        "case_hint": _("It does not rest while somebody takes care of the contact."),
        "url_hint": _("https:// …, or a variable such as {{ call_back_url }}."),
        "webhook_hint": _("What the receiver of campaign.step is told as “name”."),
        "ask_hint": _("Only within the contact budget, and at most {rounds} times in a row."),
        "working_days_hint": _("Counted by your business calendar."),
        "mornings_hint": _("1: the next morning. Weekends and holidays are left out."),
    }


def _labels() -> dict[str, str]:
    return {
        "template": _("Template"),
        "subject": _("Subject"),
        "body": _("Text"),
        "subject_no_comment": _("Subject without a comment"),
        "body_no_comment": _("Text without a comment"),
        "button": _("Words on the button"),
        "button_url": _("Where the button leads"),
        "within_budget": _("Only within the contact budget"),
        "also_while_case": _("Also while a case is open"),
        "too_late_after": _("Too late after"),
        "mode": _("Wait for"),
        "seconds": _("How long"),
        "days": _("Working days"),
        "mornings": _("Which morning"),
        "minute": _("Time of day"),
        "is_urgent": _("Urgent"),
        "pool": _("Voucher pool"),
        "add": _("Tags to add"),
        "remove": _("Tags to take away"),
        "name": _("Name"),
        "branch_name": _("Name (empty: the condition)"),
        "condition": _("Yes, if"),
        "title": _("Title"),
        "text": _("Text"),
        "due_days": _("Due after so many days (empty: no time)"),
        "survey": _("Survey"),
        "opt_in_body": _("What is to be agreed to"),
        "case_text": _("Its owner and due time follow your rules for cases."),
        "stop_text": _("The sequence ends here, whatever stands below."),
    }
