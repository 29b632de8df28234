"""Redis is away for longer than any lease: what people and shops send in is kept, and all goes on by itself."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.chaos.injected import Injected
from tests.chaos.scene import Scene
from tests.processes.fleet import patiently
from tests.processes.mailserver import free_port

# Longer than the agenda's lease and the broker's pause; ten minutes would only repeat the same ticks.
SECONDS_AWAY = 75.0
INVITED = 40


def post(port: int, host: str, path: str, body: bytes, headers: dict[str, str]) -> int | str:
    """The status of one request; what went wrong if there is none."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Host": host, **headers}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return str(error)


def broker_away(scene: Scene) -> Injected:
    """Events and answers come in over HTTP while Redis, broker and cache in one, is gone."""
    from apps.integrations.services import create_api_key
    from apps.messaging.models import OutgoingEmail
    from apps.responses.models import Response
    from apps.surveys.links import token_of
    from apps.surveys.models import Invitation
    from apps.touchpoints.models import Event
    from tests.processes import census, rows
    from tests.responses.asking import human

    load, port = scene.load, free_port()
    host = f"{scene.schema}.resonanz.test"
    scene.fleet.environment["PORT"] = str(port)
    scene.fleet.start_all(beats=1, workers=1)
    scene.fleet.start("web")
    key = {"Authorization": f"Bearer {create_api_key(name='shop')[1]}", "Content-Type": "application/json"}
    load.events += [event.pk for event in rows.events(load.touchpoint, [rows.identity(n) for n in range(INVITED)])]
    patiently(lambda: OutgoingEmail.objects.filter(status="sent").count() == INVITED, 40)
    asked = list(Invitation.objects.filter(status="queued").values_list("pk", flat=True))
    patiently(lambda: post(port, host, "/healthz", b"", {}) in (200, 405), 30)
    scene.redis.kill()
    until, said = time.monotonic() + SECONDS_AWAY, []
    while time.monotonic() < until:
        event = {"touchpoint": load.touchpoint.key, "contact": rows.identity(len(said), "new")}
        said.append(post(port, host, "/api/v1/events", json.dumps(event).encode(), key))
        if asked:
            form = urllib.parse.urlencode(human(score="9")).encode()
            form_type = {"Content-Type": "application/x-www-form-urlencoded"}
            said.append(post(port, host, f"/s/{token_of(asked.pop())}", form, form_type))
        time.sleep(1.0)
    kept = Event.objects.exclude(pk__in=load.events).count()
    answers = Response.objects.count()
    load.events = list(Event.objects.values_list("pk", flat=True))
    scene.redis.start()
    began = time.monotonic()
    done = load.wait(90)
    checks: tuple[Any, ...] = (
        census.equal("events and answers refused", [], [status for status in said if status not in (200, 202)]),
        census.equal("events and answers kept", len(said), kept + answers),
        census.Check("all done by itself in time", "90 s", f"{time.monotonic() - began:.0f} s", done),
        *load.checks(scene.mailbox),
        census.equal("mails of unknown fate", 0, census.unknown_mails()),
    )
    return Injected(f"Redis away for {SECONDS_AWAY:.0f} s while {len(said)} events and answers come in", checks=checks)


TRIALS = {"broker away": broker_away}
