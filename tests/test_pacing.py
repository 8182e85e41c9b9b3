"""The pace: simulated servers from one end to the other, then the rules one by one."""

from __future__ import annotations

import math
import random

import pytest
from benchmark.pacing import Scenario, changed, healthy, refusing, run, slowing, steady, unlucky
from benchmark.pacing_servers import Result, Server, Simulation, even, share

from contextvqa_async.config import Limits
from contextvqa_async.errors import Kind, RunError
from contextvqa_async.pacing import Ended, Fleet, Flight, Outcome
from contextvqa_async.pacing.window import Window

SCENARIOS = [*healthy(), *refusing(), *slowing(), *changed(), *unlucky()]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: f"{each.title} of {each.concurrency}")
def test_as_fast_as_the_best_fixed_setting(scenario: Scenario) -> None:
    """Each line of the table keeps its bounds: 90 % of the best fixed setting, less than 2 % refused."""
    ours, fixed = scenario.run(), scenario.best_fixed()
    assert ours.done == scenario.records
    assert fixed.seconds / ours.seconds >= scenario.ratio
    assert ours.refused_share < scenario.refused


@pytest.mark.parametrize("seed", range(2, 8))
def test_a_heavy_tail_never_shrinks_a_healthy_server(seed: int) -> None:
    """Whatever the luck of the draw, less than 2 % is lost where answers' lengths have a heavy tail."""
    for scenario in healthy():
        if scenario.concurrency == 32 and "heavy" in scenario.title:
            assert scenario.best_fixed(seed).seconds / scenario.run(seed).seconds >= 0.98, scenario.title


def replicas(*servers: Server, records: int = 1500, concurrency: int = 32) -> Result:
    """A run over several servers."""
    return run(lambda: servers, Limits(concurrency=concurrency), even, records)


def refuses(k: int, slower: float = 1.0) -> Server:
    """A server that takes k at once."""
    return Server(k=steady(k), refuses=True, slower=slower)


def test_two_unequal_replicas_give_their_sum() -> None:
    """Each gets what it can do: within 10 % of 20 at once, whether they refuse, slow down, queue or are slower."""
    assert 1500 / replicas(refuses(4), refuses(16)).seconds >= 0.9 * 20 / 5
    slowing = (Server(k=steady(4), speed=share), Server(k=steady(16), speed=share))
    assert 1500 / replicas(*slowing).seconds >= 0.9 * 20 / 5
    queueing = (Server(k=steady(4), queues=True), Server(k=steady(16), queues=True))
    assert 1500 / replicas(*queueing).seconds >= 0.9 * 20 / 5
    assert 1500 / replicas(refuses(8), refuses(8, slower=2.0)).seconds >= 0.9 * (8 + 4) / 5


def test_a_dead_replica_costs_little() -> None:
    """The other one does the work, and no record is charged more than the first failures."""
    dead = refuses(8)
    dead.down = lambda t: True
    result = replicas(dead, refuses(8), records=600)
    assert 600 / result.seconds >= 0.9 * 8 / 5
    assert result.failed <= 2
    assert len(result.notices) == 1
    assert "it is probed" in result.notices[0][1]


def away(since: float, until: float) -> Server:
    """A server that takes 8 at once, and is gone for a while."""
    server = refuses(8)
    server.down = lambda t: since < t < until
    return server


def test_an_outage_is_waited_for() -> None:
    """A server that is gone for a minute costs that minute and a rest, and hardly an attempt."""
    result = replicas(away(60, 120), records=300, concurrency=8)
    assert result.done == 300
    assert result.failed <= 2
    assert result.seconds <= 300 * 5 / 8 / 0.9 + 60 + 30
    assert [notice.partition(" ")[2][:15] for _, notice in result.notices] == ["does not answer", "answers again; "]


def test_a_moment_of_503_costs_a_moment() -> None:
    """After a gateway's deployment the run is soon as fast as before, not at the few that were left in flight."""
    server = Server(absence=Outcome.AWAY)
    server.down = lambda t: 60 < t < 62
    assert run(lambda: [server], Limits(concurrency=64), even, 3000).seconds <= 3000 * 5 / 64 + 30


def test_an_outage_longer_than_allowed_ends_the_run() -> None:
    """--max-downtime: exit 3 after as much, not before."""
    simulation = Simulation([away(60, 1e9)], Limits(max_downtime=90), [even(random.Random(1))] * 300)
    with pytest.raises(RunError, match="--max-downtime") as error:
        simulation.run()
    assert error.value.kind is Kind.CONNECTION
    assert 150 <= simulation.now <= 155


def test_an_address_that_never_answers_ends_the_run_soon() -> None:
    """A wrong --base-url is told within half a minute, and only after several probes."""
    simulation = Simulation([away(-1, 1e9)], Limits(), [even(random.Random(1))] * 300)
    with pytest.raises(RunError, match="never answered") as error:
        simulation.run()
    assert error.value.kind is Kind.CONNECTION
    assert 10 <= simulation.now <= 30


def test_a_stop_and_start_is_waited_for_without_end() -> None:
    """Once it has answered, a server may be away for hours."""
    result = replicas(away(60, 9000), records=300, concurrency=8)
    assert result.done == 300
    assert 9000 < result.seconds < 9400


# one rule each


class Desk:
    """A fleet at work by hand: requests are started and ended at times of our choosing."""

    def __init__(self, labels: int = 1, **limits: object) -> None:
        self.fleet = Fleet([f"http://{n}" for n in range(labels)], Limits(**limits), random.Random(1))  # type: ignore[arg-type]
        self.now = 0.0

    def start(self, *, again: bool = False) -> tuple[int, Flight] | None:
        """One request, if it may start now."""
        index, _ = self.fleet.next_start(self.now, again=again)
        return None if index is None else (index, self.fleet.start(index, self.now, again=again))

    def must(self, *, again: bool = False) -> tuple[int, Flight]:
        """One request, which may."""
        started = self.start(again=again)
        assert started is not None
        return started

    def end(self, request: tuple[int, Flight], outcome: Outcome, **told: object) -> bool:
        """It ended."""
        return self.fleet.end(*request, Ended(outcome, **told), self.now)  # type: ignore[arg-type]

    @property
    def out(self) -> bool:
        """Whether no endpoint answers."""
        return self.fleet.outage

    def next(self) -> float:
        """When to look again."""
        index, at = self.fleet.next_start(self.now)
        assert index is None
        return at


def test_a_wait_that_was_told_is_never_shortened() -> None:
    """The whole endpoint pauses, for as long as told and at most a tenth more; the record is not charged."""
    desk = Desk()
    request, other = desk.must(), desk.must()
    assert not desk.end(request, Outcome.RATE, wait=20.0)
    assert desk.start() is None
    assert 20 <= desk.next() <= 22.01
    assert 20 <= desk.fleet.next_start(0.0)[1] <= 22.01
    desk.end(other, Outcome.OK)
    desk.now = 19.99
    assert desk.start() is None
    desk.now = 22.1
    assert desk.start() is not None


def test_a_shorter_hint_does_not_cut_a_longer_one() -> None:
    """The longest of what refused requests were told is waited."""
    desk = Desk()
    one, two = desk.must(), desk.must()
    desk.end(one, Outcome.RATE, wait=20.0)
    desk.end(two, Outcome.RATE, wait=1.0)
    assert desk.next() >= 20


def test_refusals_without_a_hint_wait_ever_longer() -> None:
    """Half to all of 1, 2, 4, … seconds while nothing succeeds; a success starts anew."""
    desk = Desk(concurrency=1)
    for most in (1, 1, 2, 4, 8):
        desk.end(desk.must(), Outcome.RATE)
        assert most / 2 <= desk.next() - desk.now <= most
        desk.now = desk.next()
    desk.end(desk.must(), Outcome.OK)
    desk.now += 60
    desk.end(desk.must(), Outcome.RATE)
    assert desk.next() - desk.now <= 1


def test_a_wait_of_more_than_ten_minutes_ends_the_run() -> None:
    """E-31: above the cap the run says so; with another endpoint at hand it goes on there."""
    desk = Desk()
    desk.end(desk.must(), Outcome.RATE, wait=599.0 / 1.1)
    assert desk.fleet.fatal_error(desk.now) is None
    desk.now = 700
    desk.end(desk.must(), Outcome.RATE, wait=3600.0)
    error = desk.fleet.fatal_error(desk.now)
    assert error is not None
    assert error.kind is Kind.RATE
    assert "minutes" in str(error)
    two = Desk(labels=2)
    two.end(two.must(), Outcome.RATE, wait=3600.0)
    assert two.fleet.fatal_error(0.0) is None
    assert two.must()[0] == 1


def test_remaining_requests_are_counted_down() -> None:
    """x-ratelimit-remaining-requests: so many may start, and then none before the reset."""
    desk = Desk(concurrency=8, no_adaptive=True)
    told = {"x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "30s"}
    desk.end(desk.must(), Outcome.OK, headers=told)
    assert desk.start()
    assert desk.start()
    assert desk.start() is None
    assert desk.next() == 30
    desk.now = 30.1
    assert desk.start()


@pytest.mark.parametrize("scope", ["requests", "tokens"])
def test_nothing_starts_when_nothing_is_left(scope: str) -> None:
    """Remaining 0 holds until the reset, counted from when the answer began; -1 and garbage do not."""
    desk = Desk(concurrency=8, no_adaptive=True)
    request = desk.must()
    desk.now = 5
    desk.fleet.progress(*request, 0, desk.now)
    desk.now = 10
    headers = {f"x-ratelimit-remaining-{scope}": "0", f"x-ratelimit-reset-{scope}": "30"}
    desk.end(request, Outcome.OK, headers=headers)
    assert desk.next() == 35
    for value in ("-1", "", "many"):
        free = Desk(concurrency=8, no_adaptive=True)
        free.end(free.must(), Outcome.OK, headers={**headers, f"x-ratelimit-remaining-{scope}": value})
        assert free.start()


def test_fixed_means_fixed() -> None:
    """--no-adaptive: the limit is --concurrency from the first request to the last, refused or not."""
    desk = Desk(concurrency=8, no_adaptive=True)
    requests = [desk.must() for _ in range(8)]
    assert desk.start() is None
    for request in requests:
        desk.end(request, Outcome.OVERLOAD, headers={})
    assert desk.fleet.replicas[0].window.limit == 8


def test_one_episode_cuts_once() -> None:
    """Refusals of requests that started before the last cut do not cut the limit below what is still held."""
    window = Window(32)
    window._slow, window.limit = False, 20.0
    flights = [window.start(0.0) for _ in range(20)]
    for flight in flights[:5]:
        window.end(flight, Outcome.RATE, 0.1)
    assert window.limit == 15


def test_growth_needs_demand() -> None:
    """A limit that nobody fills does not grow."""
    window = Window(32)
    for n in range(100):
        window.end(window.start(n), Outcome.OK, n + 0.5)
    assert window.limit <= 5


def fail(desk: Desk, times: int, outcome: Outcome = Outcome.GONE) -> list[bool]:
    """Requests that fail one after the other; returns which were charged."""
    charged: list[bool] = []
    for _ in range(times):
        if (at := desk.fleet.next_start(desk.now))[0] is None:
            desk.now = at[1]
        charged.append(desk.end(desk.must(again=bool(charged)), outcome))
    return charged


@pytest.mark.parametrize("outcome", [Outcome.FAULT, Outcome.OVERLOAD])
def test_faults_that_may_be_the_records_are_charged(outcome: Outcome) -> None:
    """A run of records that a working server answers with 500, cuts or stalls ends, however many they are."""
    desk = Desk()
    desk.end(desk.must(), Outcome.OK)
    requests = [desk.must() for _ in range(3)]
    assert [desk.end(each, outcome) for each in requests] == [True] * 3
    assert fail(desk, 8, outcome) == [True] * 8
    assert not desk.out


def test_a_record_alone_does_not_bring_an_endpoint_down() -> None:
    """A record that a working server answers with 503 again and again is charged, and fails."""
    desk = Desk()
    desk.end(desk.must(), Outcome.OK)
    assert fail(desk, 8, Outcome.AWAY) == [True] * 8
    assert not desk.out


def test_a_server_that_never_worked_is_not_waited_for() -> None:
    """503 from the first request on is charged, so that the user sees it."""
    desk = Desk()
    requests = [desk.must(), desk.must(), desk.must()]
    assert [desk.end(each, Outcome.AWAY) for each in requests] == [True] * 3
    assert fail(desk, 8, Outcome.AWAY) == [True] * 8


def test_an_endpoint_that_does_not_answer_charges_nobody() -> None:
    """Connection refused is never a record's fault: after three, the endpoint rests, and probes are free."""
    desk = Desk()
    desk.end(desk.must(), Outcome.OK)
    assert fail(desk, 8) == [True, True, False, False, False, False, False, False]
    assert desk.out
    away = desk.now
    assert min(0.5, away / 4) <= desk.fleet.next_start(desk.now)[1] - desk.now <= max(1.0, away / 2)
    desk.now += 31
    assert desk.start(), "one probe"
    assert desk.start() is None, "and no other beside it"
    assert desk.fleet.fatal_error(desk.now + 1e6) is None


def test_answers_of_before_the_outage_do_not_end_it() -> None:
    """A server that drains while it stops answers what it has: it is down for new requests all the same."""
    desk = Desk()
    early = desk.must()
    desk.now = 1.0
    fail(desk, 3)
    assert desk.out
    desk.end(early, Outcome.OK)
    assert desk.fleet.outage


def test_away_is_believed_for_a_while() -> None:
    """A minute and a half of 503 to several records is waited for; then it counts, so that bad records end."""
    desk = Desk()
    requests = [desk.must() for _ in range(4)]
    desk.end(requests.pop(), Outcome.OK)
    assert [desk.end(each, Outcome.AWAY) for each in requests] == [True, True, False]
    while desk.out:
        fail(desk, 1, Outcome.AWAY)
        assert desk.now < 150
    assert desk.now > 90
    assert fail(desk, 3, Outcome.AWAY) == [True] * 3


def test_the_last_records_of_a_run_are_charged() -> None:
    """Nobody can tell a server that is away from bad records where no others are left to ask for."""
    desk = Desk()
    requests = [desk.must() for _ in range(4)]
    desk.end(requests.pop(), Outcome.OK)
    for each in requests:
        desk.end(each, Outcome.AWAY)
    states = [desk.out]
    desk.fleet.end_of_records()
    assert fail(desk, 5, Outcome.AWAY)[1:] == [True] * 4
    assert [*states, desk.out] == [True, False]
    assert fail(desk, 5, Outcome.GONE)[-1] is False, "what cannot be connected to is still waited for"


def test_a_refusal_shows_that_an_endpoint_is_back() -> None:
    """A probe that is answered with 429 ends the outage."""
    desk = Desk()
    fail(desk, 4)
    desk.now = desk.next()
    desk.end(desk.must(), Outcome.RATE, wait=2.0)
    assert not desk.out
    assert desk.next() >= desk.now + 2


def test_the_least_busy_endpoint_is_asked_first() -> None:
    """Relative to its limit, so that a fast one gets more."""
    desk = Desk(labels=2, concurrency=32)
    for endpoint, limit in zip(desk.fleet.replicas, (4.0, 12.0), strict=True):
        endpoint.window._slow, endpoint.window.limit = False, limit
    assert [desk.must()[0] for _ in range(8)].count(1) == 6


def test_the_run_never_has_more_in_flight_than_allowed() -> None:
    """--concurrency is the run's, not each endpoint's."""
    desk = Desk(labels=3, concurrency=5, no_adaptive=True)
    assert sum(desk.start() is not None for _ in range(9)) == 5
    assert desk.next() == math.inf


FAILED = [Outcome.FAULT, Outcome.OVERLOAD, Outcome.AWAY, Outcome.GONE]


def at(desk: Desk, index: int) -> tuple[int, Flight]:
    """A request to this endpoint."""
    return index, desk.fleet.start(index, desk.now)


def suspend(desk: Desk, outcome: Outcome = Outcome.FAULT) -> None:
    """The first endpoint fails three times, and the second answers meanwhile."""
    for _ in range(3):
        bad, well = at(desk, 0), at(desk, 1)
        desk.now += 0.1
        desk.end(well, Outcome.OK)
        desk.end(bad, outcome)


@pytest.mark.parametrize("outcome", FAILED)
def test_a_replica_that_only_fails_rests_beside_one_that_answers(outcome: Outcome) -> None:
    """However it fails, and though it never worked; it is probed by one request that is charged to nobody."""
    desk = Desk(labels=2, no_adaptive=True)
    suspend(desk, outcome)
    assert [desk.must()[0] for _ in range(8)] == [1] * 8
    desk.now += 31
    probe = next(each for each in (desk.must() for _ in range(9)) if each[0] == 0)
    assert {desk.must()[0] for _ in range(8)} == {1}, "one probe at a time"
    assert not desk.end(probe, outcome)
    assert desk.fleet.replicas[0].down
    desk.now += 31
    probe = next(each for each in (desk.must() for _ in range(9)) if each[0] == 0)
    desk.end(probe, Outcome.OK)
    assert [notice.split()[1:3] for notice in desk.fleet.notices][1:] == [["answers", "again;"]]
    assert not desk.out


@pytest.mark.parametrize("outcome", FAILED)
def test_a_retry_goes_where_least_has_failed(outcome: Outcome) -> None:
    """It waits for a busy endpoint rather than going back to one that answered nothing since; new records do not."""
    desk = Desk(labels=2, concurrency=8)
    early, bad = at(desk, 0), at(desk, 0)
    busy = [at(desk, 1) for _ in range(4)]
    desk.end(bad, outcome)
    assert desk.start(again=True) is None
    assert desk.must()[0] == 0
    desk.end(busy[0], Outcome.VOID)
    desk.now += 0.1
    assert desk.must(again=True)[0] == 1
    desk.end(early, Outcome.OK)
    assert desk.must(again=True)[0] == 0, "it is as good as any again"


def test_a_retry_does_not_wait_for_an_endpoint_that_rests_or_pauses() -> None:
    """Where the others may not be asked, one that failed may."""
    desk = Desk(labels=2, no_adaptive=True)
    bad, other = desk.must(), desk.must()
    desk.end(bad, Outcome.FAULT)
    assert desk.must(again=True)[0] == 1
    desk.end(other, Outcome.RATE, wait=300.0)
    assert desk.must(again=True)[0] == 0


def test_bad_records_put_no_fleet_to_rest() -> None:
    """Faults that every replica answers with are the records': each is charged, and somebody is asked to the end."""
    desk = Desk(labels=3, no_adaptive=True)
    for _ in range(3):
        desk.end(desk.must(), Outcome.OK)
    charged = 0
    for _ in range(60):
        desk.now += 0.5
        charged += desk.end(desk.must(again=True), Outcome.FAULT)
        assert not desk.out
    assert charged >= 40


def test_one_that_is_well_now_and_then_is_told_once() -> None:
    """A flapping replica fills no log; its answers of before count, since they show that it works."""
    desk = Desk(labels=2, no_adaptive=True)
    for _ in range(20):
        early = at(desk, 0)
        suspend(desk)
        assert desk.fleet.replicas[0].down
        desk.end(early, Outcome.OK)
        assert not desk.fleet.replicas[0].down
    assert [notice.split()[1:3] for notice in desk.fleet.notices] == [["keeps", "failing"], ["answers", "again;"]]


def test_an_ailing_replica_that_is_left_alone_is_believed_for_a_while() -> None:
    """The other may only be restarting; after a minute and a half the records are charged, so that bad ones end."""
    desk = Desk(labels=2, no_adaptive=True)
    suspend(desk)
    gone = [desk.must() for _ in range(3)]
    assert [desk.end(each, Outcome.GONE) for each in gone] == [True, True, False]
    assert desk.out
    began, charged = desk.now, list[bool]()
    while not any(charged):
        index, then = desk.fleet.next_start(desk.now)
        desk.now = max(desk.now, then)
        if index is not None:
            charged.append(desk.end(at(desk, index), Outcome.GONE if index else Outcome.FAULT))
        assert desk.now < began + 200
    assert desk.now > began + 90
    assert desk.fleet.fatal_error(desk.now) is None


@pytest.mark.parametrize("told", [{"wait": 400.0}, {"wait": 7.0}, {}])
def test_max_downtime_holds_for_refusals(told: dict[str, float]) -> None:
    """429 after 429, or one long Retry-After: the deadline counts from the first wait to no success."""
    desk = Desk(labels=2, max_downtime=60)
    while (error := desk.fleet.fatal_error(desk.now)) is None:
        if (request := desk.start(again=True)) is None:
            desk.now = desk.next()
        else:
            desk.end(request, Outcome.RATE, **told)
    assert desk.now == pytest.approx(60, abs=0.01)
    assert error.kind is Kind.RATE
    assert "--max-downtime" in str(error)


def test_max_downtime_does_not_count_while_something_succeeds_or_may() -> None:
    """A success starts it anew, and an answer on its way is waited for, however long; --rpm does not count."""
    desk = Desk(max_downtime=60, no_adaptive=True)
    for _ in range(10):
        long = desk.must()
        desk.now += 60  # after a pause the pace is gentle
        desk.end(desk.must(), Outcome.RATE, wait=400.0)
        assert desk.next() > desk.now + 60
        desk.now += 300
        assert desk.fleet.fatal_error(desk.now) is None
        desk.end(long, Outcome.OK)
        desk.now += 200
    slow = Desk(max_downtime=60, rpm=1)
    slow.end(slow.must(), Outcome.OK)
    slow.now = 1
    assert slow.next() > 59
    slow.now = 100
    assert slow.fleet.fatal_error(100) is None


def test_max_downtime_holds_for_allowances() -> None:
    """A success that says that nothing more is allowed for nine minutes."""
    desk = Desk(max_downtime=60, no_adaptive=True)
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9m"}
    desk.end(desk.must(), Outcome.OK, headers=headers)
    assert desk.next() == 60
    desk.now = 60
    assert desk.fleet.fatal_error(60) is not None
