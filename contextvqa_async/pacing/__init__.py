"""When to ask, and whom: functions of time, without a clock, randomness or I/O of their own.

    hints      headers and words of a refusal ─► seconds to wait; back-off where nothing was told
    budgets    requests and tokens a minute ─► when the next request may start
    rounds     finished requests ─► how much work a level of concurrency gets done
    noise      refusals ─► whether load explains them
    window     starts, first tokens, ends ─► how many requests may be in flight at one endpoint
    replica    one endpoint's window, pauses, allowances, and rests after failures
    fleet      all endpoints and budgets ─► which endpoint may be asked now, or when to look again

Rule: time comes in as an argument, and every decision is a value that comes out; admission.py does the waiting.
"""

from contextvqa_async.pacing.fleet import Fleet
from contextvqa_async.pacing.hints import backoff, wait_hint
from contextvqa_async.pacing.outcome import Ended, Outcome
from contextvqa_async.pacing.rounds import Flight

__all__ = ["Ended", "Fleet", "Flight", "Outcome", "backoff", "wait_hint"]
