"""Fetching answers from a mailbox: each message once, whoever looks and whatever breaks.

A mailbox numbers its messages (UIDs), and we note how far we have read. Taking a mail and moving that note is one
transaction; only then is the message marked as read, by a row that stays until it is. What breaks is tried three
times, then put aside for a human; the others go on meanwhile. What belongs to no case stays as it was.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Q

from apps.cases import incoming
from apps.cases.imap import SESSION_SECONDS, Account, MailboxError, Opened, Session
from apps.relays.models import PendingMessage, PolledMailbox

logger = logging.getLogger(__name__)

QUEUE = "cases.mailbox"
EVERY = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
LEASE = timedelta(minutes=5)
"""Longer than any session."""
MOST = 100
SECONDS = 25.0
TRIES, RETRY_AFTER = 3, timedelta(seconds=50)
BACK = timedelta(days=1)
"""A mailbox that is new to us, or that was numbered anew, is read from so long before the last look on."""
State = PendingMessage.State


class Keeper(NamedTuple):
    """What becomes of mails."""

    may_be_ours: Callable[[bytes], bool]
    """Whether a mail with this head is worth reading. May be wrong about others' mails, never about ours."""
    take: Callable[[bytes, bool, datetime], bool]
    """Keep a mail, given whether it is cut; False if it is nobody's. Runs in a transaction."""


def poll(*, box: PolledMailbox, account: Account, keeper: Keeper, now: datetime) -> int:
    """Look into a mailbox whose time it is; returns how many messages were looked at.

    Two at once: the second finds it leased. What goes wrong stands in the mailbox's row, and the next look is later.
    """
    rows = type(box)._default_manager.filter(pk=box.pk)
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    due = Q(next_check_at=None) | Q(next_check_at__lte=now)
    if not rows.filter(free, due).update(lease_until=now + LEASE):
        return 0
    box.refresh_from_db()
    run = _Run(box, keeper, now)
    error = ""
    try:
        with Session(account) as session:
            run.go(session)
    except MailboxError as failed:
        error = str(failed)
    except BaseException:
        rows.update(lease_until=None)
        raise
    faults = box.faults + 1 if error else 0
    pause = min(EVERY * 2 ** min(faults, 10), LONGEST_PAUSE) if faults else timedelta(0) if run.has_more else EVERY
    rows.update(lease_until=None, next_check_at=now + pause, checked_at=now, faults=faults, last_error=error[:500])
    if error:
        logger.warning("Answers could not be fetched from a mailbox: %s", error)
    return run.looked_at


def try_out(account: Account, *, seconds: float = SESSION_SECONDS) -> int:
    """Sign in and open the folder; returns how many messages it holds. Raises MailboxError."""
    with Session(account, seconds=seconds) as session:
        return session.open().count


def try_again(*, messages: Any, now: datetime) -> int:
    """Give messages that were put aside their three tries anew; returns how many."""
    return int(messages.filter(state=State.ASIDE).update(state=State.FAILING, tries=0, at=now - RETRY_AFTER))


@dataclass
class _Run:
    """One look into a mailbox."""

    box: Any
    keeper: Keeper
    now: datetime
    looked_at: int = 0
    has_more: bool = False

    def go(self, session: Session) -> None:
        opened = session.open()
        if self.box.uid_validity != opened.uid_validity:
            self._begin(session, opened)
        stop_at = time.monotonic() + SECONDS
        failing = self._pending(State.FAILING).filter(at__lte=self.now - RETRY_AFTER)
        failing = failing.order_by("uid").values_list("uid", flat=True)[:MOST]
        numbers = list(dict.fromkeys([*failing, *session.numbers(after=self.box.last_uid, limit=MOST)]))
        self.has_more = len(numbers) >= MOST
        for number in numbers:
            if time.monotonic() > stop_at:
                self.has_more = True
                break
            self._one(session, number)
            self.looked_at += 1
        self._mark(session)

    def _begin(self, session: Session, opened: Opened) -> None:
        """The first look, or the folder was numbered anew: begin a day back. What was taken then is known by its id."""
        since = session.numbers_since((self.box.checked_at or self.now) - BACK)
        last = (since[0] if since else opened.uid_next) - 1
        self.box.uid_validity, self.box.last_uid = opened.uid_validity, last
        with transaction.atomic():
            self.box.messages.exclude(uid_validity=opened.uid_validity).delete()
            self.box.save(update_fields=["uid_validity", "last_uid"])

    def _pending(self, state: str) -> Any:
        return self.box.messages.filter(uid_validity=self.box.uid_validity, state=state)

    def _one(self, session: Session, number: int) -> None:
        head = session.head(number)
        try:
            ours = head is not None and self.keeper.may_be_ours(head)
            raw, is_cut = session.mail(number) if ours else (None, False)
            self._settle(number, raw, is_cut)
        except MailboxError:
            raise
        except Exception as error:  # Whatever a mail of anybody's may break: the others must go on.
            logger.exception("A mail of a mailbox could not be taken")
            self._note_failure(number, head or b"", error)

    def _settle(self, number: int, raw: bytes | None, is_cut: bool) -> None:
        """Take it and note that, in one transaction; once, also if somebody else looks at the same time."""
        with transaction.atomic():
            box = type(self.box)._default_manager.select_for_update().get(pk=self.box.pk)
            pending = self._pending(State.FAILING).filter(uid=number)
            is_new = box.uid_validity == self.box.uid_validity and number > box.last_uid
            if not is_new and not pending.exists():
                return
            is_taken = raw is not None and self.keeper.take(raw, is_cut, self.now)
            pending.delete()
            if is_taken:
                values = {"uid_validity": self.box.uid_validity, "uid": number, "state": State.TO_MARK, "at": self.now}
                self.box.messages.create(**values)
            self._move_on(number, taken=int(is_taken), nobodys=int(not is_taken))

    def _move_on(self, number: int, *, taken: int = 0, nobodys: int = 0) -> None:
        self.box.last_uid = max(self.box.last_uid, number)
        rows = type(self.box)._default_manager.filter(pk=self.box.pk)
        rows.update(taken=F("taken") + taken, nobodys=F("nobodys") + nobodys)
        rows.filter(last_uid__lt=number).update(last_uid=number)

    @transaction.atomic
    def _note_failure(self, number: int, head: bytes, error: Exception) -> None:
        row, _is_new = self.box.messages.get_or_create(
            uid_validity=self.box.uid_validity, uid=number,
            defaults={"state": State.FAILING, "at": self.now, "message_id": _id_of(head)},
        )  # fmt: skip
        row.tries, row.at = row.tries + 1, self.now
        row.error = type(error).__name__  # Not its words: they may be the mail's.
        if row.tries >= TRIES:
            row.state = State.ASIDE
        row.save()
        self._move_on(number)

    def _mark(self, session: Session) -> None:
        """Mark what was taken as read; what breaks here is marked next time."""
        rows = list(self._pending(State.TO_MARK).values_list("pk", "uid")[:MOST])
        if rows:
            session.mark_read([number for _pk, number in rows])
            self.box.messages.filter(pk__in=[pk for pk, _number in rows]).delete()


def _id_of(head: bytes) -> str:
    try:
        return incoming.id_of(head)
    except Exception:  # The head may be what broke.
        return ""
