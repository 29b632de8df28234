"""What is done to the fleet while it works. Each trial returns what it injected, and what it excuses."""

import os
import signal
import time
from collections.abc import Callable

from tests.chaos import away, post
from tests.chaos.injected import Injected
from tests.chaos.scene import Scene
from tests.processes.fleet import Running

KILLS, DEPLOYMENTS = 20, 4
REDIS_GONE_SECONDS = 20.0


def kill_workers(scene: Scene) -> Injected:
    """A worker dies at a random moment, again and again: by turns the whole of it, and only its child.

    At last all die at once and what Redis held is lost: only the rows know what was to be done.
    """
    scene.fleet.start_all(beats=1, workers=2)
    whole = 0
    for number in range(KILLS):
        scene.load.add(events=100, due_cadences=1)
        scene.pause(1.5)
        victim = scene.random.choice(scene.fleet.workers)
        if number % 2 and victim.kill_child():
            continue
        victim.kill()
        whole += 1
        scene.fleet.start("worker", wait=number % 4 == 0)
    scene.load.add(events=1500, due_cadences=3)
    scene.pause(1.0)
    last = scene.fleet.workers
    for victim in last:
        victim.kill()
    scene.redis.flush()
    whole += len(last)
    scene.fleet.start_all(beats=0, workers=2)
    return Injected(
        f"{whole} workers and {KILLS + len(last) - whole} workers' children killed", KILLS + len(last), whole
    )


def deploy(scene: Scene) -> Injected:
    """Workers and beats are asked to stop and replaced, as a deployment does."""
    scene.fleet.start_all(beats=2, workers=2)
    for _ in range(DEPLOYMENTS):
        scene.load.add(events=250)
        scene.pause(1.0)
        old = list(scene.fleet.everything[-4:])
        new: list[Running] = [scene.fleet.start(running.role, wait=False) for running in old]
        for running in old:
            running.ask_to_stop()
        for running in old:
            running.stop()
        for running in new:
            running.wait_until_ready()
    return Injected(f"{DEPLOYMENTS} deployments", replaced=4 * DEPLOYMENTS)


def freeze_workers(scene: Scene) -> Injected:
    """A worker stands still for seconds, in whatever it does, and goes on as if nothing had been."""
    scene.fleet.start_all(beats=1, workers=2)
    for _ in range(4):
        scene.load.add(events=200)
        scene.pause(1.0)
        victim = scene.random.choice(scene.fleet.workers)
        os.killpg(victim.process.pid, signal.SIGSTOP)
        time.sleep(4)
        os.killpg(victim.process.pid, signal.SIGCONT)
    return Injected("a worker frozen for 4 s, 4 times")


def lose_beats(scene: Scene) -> Injected:
    """One of two beats dies, then the other, and later one comes back."""
    scene.fleet.start_all(beats=2, workers=2)
    one, other = [running for running in scene.fleet.everything if running.role == "beat"]
    scene.load.add(events=200)
    one.kill()
    scene.load.add(events=200)
    scene.pause(2.0)
    other.kill()
    scene.load.add(events=200, due_cadences=4)
    time.sleep(5)
    scene.fleet.start("beat")
    scene.load.add(events=200)
    return Injected("both beats killed, none for 5 s", replaced=2)


def flush_redis(scene: Scene) -> Injected:
    """Redis forgets everything in the middle of the work."""
    scene.fleet.start_all(beats=1, workers=2)
    for _ in range(8):
        scene.load.add(events=150)
        scene.pause(1.0)
        scene.redis.flush()
    return Injected("Redis emptied 8 times")


def lose_redis(scene: Scene) -> Injected:
    """Redis is gone for a while, and comes back empty."""
    scene.fleet.start_all(beats=1, workers=2)
    scene.load.add(events=400)
    scene.pause(1.0)
    scene.redis.kill()
    gone_until = time.monotonic() + REDIS_GONE_SECONDS
    while time.monotonic() < gone_until:
        scene.load.add(events=100)
        time.sleep(4)
    scene.redis.start()
    return Injected(f"Redis killed, gone for {REDIS_GONE_SECONDS:.0f} s")


def restart_postgres(scene: Scene) -> Injected:
    """PostgreSQL restarts in the middle of batches, and crashes."""
    scene.fleet.start_all(beats=1, workers=2)
    modes = ["fast", "immediate", "fast", "immediate"]
    for mode in modes:
        scene.load.add(events=500)
        scene.pause(1.2)
        scene.restart_postgres(mode)
    return Injected(f"PostgreSQL restarted {' '.join(modes)}", unknown=2 * len(modes))


def race_for_budget(scene: Scene) -> Injected:
    """Many workers without Celery decide about the same few people at once, longer than the test does."""
    from tests.processes import budget
    from tests.processes.hand import DECIDE

    stages = [DECIDE] * 6
    caps = {"low": 2, "middle": None, "high": 3}
    contest = budget.Contest(stages, seed=scene.random.randrange(1000), events=600, limit=5, caps=caps)
    checks = budget.race(scene.fleet.environment, scene.schema, contest)
    return Injected(f"{len(stages)} processes decide about {contest.people} people", checks=tuple(checks))


TRIALS: dict[str, Callable[[Scene], Injected]] = {
    "kill workers": kill_workers,
    "deploy": deploy,
    "freeze workers": freeze_workers,
    "lose beats": lose_beats,
    "flush redis": flush_redis,
    "lose redis": lose_redis,
    "restart postgres": restart_postgres,
    "race for budget": race_for_budget,
    **post.TRIALS,
    **away.TRIALS,
}
