"""Why something cannot be done with a case. ``code`` says it in one word."""

from apps.cases.models import Case


class CaseError(ValueError):
    """A case cannot be changed like this."""

    code = "refused"


class UnknownStatusError(CaseError):
    """A case cannot have this status."""

    code = "unknown_status"


class UnknownOwnerError(CaseError):
    """There is no such user, or they do not work here any more."""

    code = "unknown_owner"


class UnknownEntryError(CaseError):
    """There is no such outcome or root cause, or it is not offered any more."""

    code = "unknown_entry"


class OutcomeMissingError(CaseError):
    """A case is closed with a sentence on how it ended, or an outcome."""

    code = "outcome_missing"


class MergedError(CaseError):
    """The case went into another one (``case.merged_into_id``), where it goes on."""

    code = "merged"

    def __init__(self, case: Case) -> None:
        super().__init__(str(case.pk))
        self.case = case


class ChangedMeanwhileError(CaseError):
    """Somebody else changed the case since it was shown; ``case`` is how it is now."""

    code = "changed_meanwhile"

    def __init__(self, case: Case) -> None:
        super().__init__(str(case.pk))
        self.case = case


class MergeError(CaseError):
    """These cases do not become one: ``code`` is ``others``, ``contact`` or ``closed``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
