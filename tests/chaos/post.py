"""Trials of sending: what is done to workers, PostgreSQL and mail servers while mails leave one by one."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.chaos.injected import Injected
from tests.chaos.scene import Scene
from tests.processes.fleet import Running, patiently
from tests.processes.mailserver import MailServer, mail_server

MAILS, KILLS = 1000, 50
GROUP = 200  # as many as a worker marks at once
SECONDS_PER_MAIL = 0.01
PATIENCE_SECONDS = 60.0
FAIR_SECONDS = 12.0


@contextmanager
def slow_server(scene: Scene, seconds: float = SECONDS_PER_MAIL) -> Iterator[MailServer]:
    """The mail server that the fleet sends to from now on."""
    folder = Path(scene.fleet.environment["DATA"]).parent / "mailserver"
    with mail_server(folder) as server:
        server.behave(delay=seconds)
        scene.fleet.environment["EMAIL_URL"] = server.url
        yield server
        scene.fleet.end()


def is_sending(worker: Running, server: MailServer) -> bool:
    """Whether it is connected to the mail server at the moment."""
    try:
        for child in psutil.Process(worker.process.pid).children():
            if any(one.raddr and one.raddr.port == server.port for one in child.net_connections("tcp4")):
                return True
    except psutil.Error:
        pass
    return False


def catch_in_the_act(scene: Scene, server: MailServer, taken: int) -> Running | None:
    """The worker that sends when ``taken`` mails more have come in; None if nothing waits any more."""
    from tests.processes import post

    wanted = len(server.mails) + taken
    found: list[Running] = []

    def is_caught() -> bool:
        found[:] = [worker for worker in scene.fleet.workers if is_sending(worker, server)]
        return (bool(found) and len(server.mails) >= wanted) or not post.waits()

    if not patiently(is_caught, PATIENCE_SECONDS, pause=0.005) or not found:
        return None
    scene.pause(SECONDS_PER_MAIL)
    return scene.random.choice(found)


def finish(server: MailServer, *, mails: int, unknown: int) -> tuple[Any, ...]:
    """Let leases run out until nothing waits, and count."""
    from tests.processes import census, post

    post.let_time_pass()
    done = patiently(lambda: not post.waits(), PATIENCE_SECONDS)
    time.sleep(1)  # Whoever sends something a second time does it now.
    in_time = census.equal("all done in time", True, done)
    return (in_time, *post.checks(server, mails=mails, unknown=unknown))


def kill_senders(scene: Scene) -> Injected:
    """A worker is killed in the middle of sending at 50 random points: by turns its child and the whole."""
    from tests.processes import census, post

    share = MAILS // KILLS
    with slow_server(scene, 0.03) as server:
        scene.fleet.start_all(beats=1, workers=2)
        done = {"children": 0, "workers": 0}
        for number in range(KILLS):
            post.send_out(post.people(share, prefix=f"p{number}-"))
            victim = catch_in_the_act(scene, server, scene.random.randrange(1, share))
            if victim is None:
                continue
            if number % 2 and victim.kill_child():
                done["children"] += 1
            else:
                victim.kill()
                done["workers"] += 1
                scene.fleet.start("worker", wait=len(scene.fleet.workers) < 2)
            post.let_time_pass()
        seldom = census.Check(
            "kills", f"at least {KILLS - 5}", str(sum(done.values())), sum(done.values()) >= KILLS - 5
        )
        checks = finish(server, mails=MAILS, unknown=sum(done.values()))
        checks = (seldom, *checks)
    what = f"{done['workers']} workers and {done['children']} workers' children killed while sending {MAILS} mails"
    return Injected(what, checks=checks)


def freeze_senders(scene: Scene) -> Injected:
    """A worker stands still in the middle of sending until another has its mails, and then goes on."""
    from tests.processes import post

    mails, rounds = 600, 5
    with slow_server(scene) as server:
        scene.fleet.start_all(beats=1, workers=2)
        post.send_out(post.people(mails))
        frozen = 0
        for _ in range(rounds):
            victim = catch_in_the_act(scene, server, 20)
            if victim is None:
                break
            os.killpg(victim.process.pid, signal.SIGSTOP)
            try:
                seen = len(server.mails)
                post.let_time_pass()
                patiently(lambda seen=seen: len(server.mails) > seen + 20 or not post.waits(), 10)
            finally:
                os.killpg(victim.process.pid, signal.SIGCONT)
            frozen += 1
        checks = finish(server, mails=mails, unknown=0)
    return Injected(f"a sending worker frozen beyond its lease, {frozen} times", checks=checks)


def restart_postgres_while_sending(scene: Scene) -> Injected:
    """PostgreSQL restarts under a worker that lives: it knows what has left, and writes it down afterwards."""
    from tests.processes import post

    mails, modes = 800, ["fast", "immediate", "fast", "immediate"]
    with slow_server(scene) as server:
        scene.fleet.start_all(beats=1, workers=1)
        post.send_out(post.people(mails))
        for mode in modes:
            catch_in_the_act(scene, server, scene.random.randrange(20, 90))
            scene.restart_postgres(mode)
            patiently(lambda: not post.OutgoingEmail.objects.filter(status="sending").exists(), 20)
            post.wake()
        checks = finish(server, mails=mails, unknown=0)
    return Injected(f"PostgreSQL restarted {' '.join(modes)} while sending", checks=checks)


def kill_postgres_and_worker(scene: Scene) -> Injected:
    """Both die at once: how far the group was is lost, so all of it is of unknown fate, and none is sent again."""
    from tests.processes import post

    mails = 400
    with slow_server(scene) as server:
        scene.fleet.start_all(beats=1, workers=1)
        post.send_out(post.people(mails))
        victim = catch_in_the_act(scene, server, 130)
        if victim is not None:
            victim.kill()
        scene.restart_postgres("immediate")
        scene.fleet.start("worker")
        checks = finish(server, mails=mails, unknown=GROUP)
    return Injected("PostgreSQL crashed and the worker killed, both at once", checks=checks)


def pause_while_sending(scene: Scene) -> Injected:
    """A stream is paused in the middle of sending; another one is not."""
    from django.utils import timezone

    from apps.messaging import services
    from tests.processes import census, post

    mails = 600
    with slow_server(scene) as server:
        scene.fleet.start_all(beats=1, workers=1)
        post.send_out(post.people(mails), stream="survey:1")
        catch_in_the_act(scene, server, 50)
        services.pause(stream="survey:1", by="trial", now=timezone.now())
        time.sleep(2)
        stopped = len(server.mails)
        post.send_out(post.people(20, prefix="q"), stream="survey:2")
        other = patiently(lambda: sum(to.startswith("q") for to in server.recipients) == 20, 10)
        time.sleep(3)
        more = len(server.mails) - stopped - 20
        services.resume(stream="survey:1", now=timezone.now())
        checks = (
            census.equal("stopped in the middle", True, stopped < mails),
            census.equal("mails of the paused stream 2 s after the pause", 0, more),
            census.equal("all mails of the other stream", True, other),
            *finish(server, mails=mails + 20, unknown=0),
        )
    return Injected("a stream paused and resumed while sending", checks=checks)


def two_tenants(scene: Scene) -> Injected:
    """One has thousands of mails, the other ten; there is one worker."""
    from django_tenants.utils import schema_context

    from apps.tenants.provisioning import create_tenant
    from tests.processes import census, post

    mails = 3000
    other = create_tenant(schema_name=f"{scene.schema}b", name="Small")
    with slow_server(scene, 0.005) as server:
        scene.fleet.start_all(beats=1, workers=1)
        post.send_out(post.people(mails))
        patiently(lambda: len(server.mails) > 50, 20)
        with schema_context(other.schema_name):
            began = time.monotonic()
            post.send_out(post.people(10, prefix="b"))
            out = patiently(lambda: sum(to.startswith("b") for to in server.recipients) == 10, 60, pause=0.05)
            seconds = time.monotonic() - began
        left = mails + 10 - len(server.mails)
        checks = (
            census.Check(
                "seconds until the small tenant's are out", f"at most {FAIR_SECONDS:.0f}", f"{seconds:.1f}",
                out and seconds <= FAIR_SECONDS,
            ),
            census.equal("the big tenant still sends", True, left > 0),
        )  # fmt: skip
        patiently(lambda: not post.waits(), PATIENCE_SECONDS)
        checks += (census.equal("mails that came in", mails + 10, len(set(server.recipients))),)
        checks += (census.equal("mails that came twice", [], server.doubled),)
    return Injected(f"{mails} mails of one tenant before 10 of another, one worker", checks=checks)


def dead_mail_service(scene: Scene) -> Injected:
    """One tenant's own mail service is away; it rests, others are not delayed, and it is tried again by itself."""
    from django_tenants.utils import schema_context

    from apps.relays.models import Relay, RelayState
    from apps.tenants.provisioning import create_tenant
    from tests.processes import census, post

    other = create_tenant(schema_name=f"{scene.schema}b", name="Small")
    with slow_server(scene) as server, mail_server(Path(scene.fleet.environment["DATA"]).parent / "own") as own:
        own.stop()
        Relay.objects.create(key=scene.schema, name="Own", settings={"host": "127.0.0.1", "port": own.port})
        scene.fleet.start_all(beats=1, workers=1)
        post.send_out(post.people(300))
        post.OutgoingEmail.objects.update(relay=scene.schema)
        state = RelayState.objects.filter(key=scene.schema)
        opened = patiently(lambda: state.filter(rests_until__isnull=False).exists(), 20)
        with schema_context(other.schema_name):
            began = time.monotonic()
            post.send_out(post.people(10, prefix="b"))
            out = patiently(lambda: len(server.mails) == 10, 30, pause=0.05)
            seconds = time.monotonic() - began
        own.start()
        # What it was tried with waits by its own backoff, two minutes at most: those come in, too.
        back = patiently(lambda: len(own.mails) == 300, 150, pause=0.5)
        checks = (
            census.equal("it rests", True, opened),
            census.Check(
                "seconds until the other tenant's are out", "at most 5", f"{seconds:.1f}", out and seconds < 5
            ),
            census.equal("all came in when it was back", True, back),
            census.equal("it rests no more", False, state.filter(faults__gt=0).exists()),
            *post.checks(own, mails=300, unknown=0),
        )
    return Injected("a tenant's own mail service away", checks=checks)


TRIALS = {
    "kill senders": kill_senders,
    "freeze senders": freeze_senders,
    "restart postgres while sending": restart_postgres_while_sending,
    "kill postgres and worker": kill_postgres_and_worker,
    "pause while sending": pause_while_sending,
    "two tenants": two_tenants,
    "dead mail service": dead_mail_service,
}
