import { relax, relaxOthers, subscribe, use } from "./link";
import { maxMargin } from "./arrivals";
import type { Track } from "./event";
import type { Link } from "./link";
import { begin, mayHop, promote, report } from "./move";
import { answerWithin, firstRetry, manyFalseAlarms, maxRetries, mostFalseAlarms, patience, spread, tickAfter, tryOutFor } from "./options";
import type { State } from "./state";
import { voiceOf } from "./track";
import type { Voice } from "./voice";

/** Looks for what has not come. */
export function listen(m: State): void {
  for (const v of m.voices) {
    if (!m.primary) {
      return;
    }
    const overdue = v.state === "talking" && m.now >= v.overdueAt;
    if (overdue || (v.state === "resting" && m.now >= v.retryAt)) {
      alarm(m, v);
    }
    switch (v.state) {
      case "talking":
        if (uneasy(m)) {
          m.wake(v.overdueAt);
        }
        break;
      case "resting":
        m.wake(v.retryAt);
        break;
      case "alarmed":
        judge(m, m.primary, v);
    }
  }
  if (m.primary?.ticks) {
    judgeLine(m, m.primary);
  }
}

/** Whether some packet has not come: then what is to be done about it is looked at often. */
export function uneasy(m: State): boolean {
  return m.hop !== undefined || m.voices.some((v) => v.state === "alarmed");
}

/**
 * When everything is to be looked at again: when that was asked for, or the next
 * packet of a track is overdue. Each packet puts the latter off, so that a line on
 * which all is well needs no timer for it.
 */
export function dueAt(m: State): number {
  let at = m.deadline;
  if (!m.primary) {
    return at;
  }
  for (const v of m.voices) {
    if (v.state === "talking") {
      at = Math.min(at, v.overdueAt);
    }
  }
  return at;
}

/**
 * Notes that a packet is overdue, or that it is time to see whether the standby
 * has what the primary has not.
 */
function alarm(m: State, v: Voice): void {
  v.state = "alarmed";
  v.alarmedAt = v.trialAt = m.now;
  v.recovered = v.trying = false;
  v.retryAt = Infinity;
  for (const other of m.voices) {
    if (other.state === "talking") {
      m.wake(other.overdueAt);
    }
  }
  const cries = m.wolf.cries(m.now);
  if (cries >= mostFalseAlarms) {
    v.trialAt = Math.max(m.now, v.lastAt + v.silentAfter());
  } else if (cries >= manyFalseAlarms) {
    v.trialAt = Math.max(m.now, v.expectedAt + maxMargin);
  }
}

/** Decides what becomes of an alarm. */
function judge(m: State, p: Link, v: Voice): void {
  if (v.recovered && m.now >= v.overdueAt) {
    v.recovered = false;
  }
  if (v.recovered) {
    judgeRecovered(m, p, v);
    return;
  }
  if (m.now < v.trialAt) {
    m.wake(v.trialAt);
    return;
  }
  const alive = p.heard > v.alarmedAt;
  const s = m.standby;
  if (!s || !v.on(s).announced) {
    if (alive) {
      calm(m, v, "resting");
    }
    return;
  }
  if (!v.trying) {
    v.trying = true;
    v.triedAt = m.now;
    subscribe(m, s, v);
  }
  if (leads(p, s, v)) {
    overtaken(m, p, s, v);
  } else if (alive && m.now < v.triedAt + patience) {
    m.wake(v.triedAt + patience);
  } else if (alive) {
    calm(m, v, "resting");
    retryLater(m, v);
  }
}

/**
 * Ends the trial once the primary is up to date, and what it left out has come
 * from the standby or will not.
 */
function judgeRecovered(m: State, p: Link, v: Voice): void {
  const until = v.alarmedAt + tryOutFor;
  let caught = v.on(p).next + v.frames >= v.next;
  const tried = m.standby && v.on(m.standby);
  if (tried?.subscribed && v.holeEnd > 0 && m.now < v.triedAt + patience) {
    caught &&= tried.next >= v.holeEnd;
    m.wake(v.triedAt + patience);
  }
  if (caught || m.now >= until) {
    calm(m, v, "talking");
    m.wake(v.overdueAt);
    return;
  }
  m.wake(Math.min(until, v.overdueAt));
}

/**
 * Whether the standby is two packets ahead of the primary. One would be any packet
 * that was lost before a pause.
 */
function leads(p: Link, s: Link, v: Voice): boolean {
  const it = v.on(s);
  return it.subscribed && it.delivered && it.next >= v.on(p).next + 2 * v.frames;
}

/**
 * Hops, if the primary has been silent on the track for long enough. There is no
 * hurry: what the standby brings is played.
 */
function overtaken(m: State, p: Link, s: Link, v: Voice): void {
  const due = Math.max(v.lastAt + v.silentAfter(), v.on(s).first + tickAfter / 2);
  if (m.now < due) {
    m.wake(due);
    return;
  }
  const at = mayHop(m);
  if (m.now < at) {
    m.wake(at);
    return;
  }
  begin(m, p, "silence", v.alarmedAt);
  promote(m, s);
}

/** Ends an alarm. */
function calm(m: State, v: Voice, into: "resting" | "talking"): void {
  v.state = into;
  v.trying = false;
  if (into === "talking") {
    v.retries = 0;
  }
  if (m.standby && !m.standby.inUse) {
    relax(m, m.standby);
  }
}

/**
 * Lets a track rest of which nothing is expected, whatever the line is like. It goes
 * on with the next group that comes.
 */
export function withheld(m: State, id: Track): void {
  const v = voiceOf(m, id);
  if (!v) {
    return;
  }
  v.retryAt = Infinity;
  if (v.state !== "resting") {
    calm(m, v, "resting");
    m.changed = true;
  }
}

/** Lets a track rest that may not be in a pause. */
function retryLater(m: State, v: Voice): void {
  if (v.retries === maxRetries) {
    return;
  }
  const pause = firstRetry * 2 ** v.retries;
  v.retryAt = m.now + spread(pause, pause, m.jitter);
  v.retries++;
  m.wake(v.retryAt);
}

/** The margin of the line: the widest of all that comes over it. */
function margin(m: State): number {
  let widest = m.pulse.margin();
  for (const v of m.voices) {
    if (v.state !== "resting") {
      widest = Math.max(widest, v.arrivals.margin());
    }
  }
  return widest;
}

/** Looks whether the primary is there at all. */
function judgeLine(m: State, p: Link): void {
  const silentAt = p.answered ? p.heard + tickAfter + margin(m) : p.usedAt + answerWithin;
  if (m.now < silentAt) {
    if (m.silentSince !== undefined) {
      lineIsBack(m, p);
    }
    m.wake(silentAt);
    return;
  }
  m.silentSince ??= m.now;
  if (m.standby) {
    use(m, m.standby);
  }
  // A lost tick is no reason to dial, nor is one to leave.
  const deadAt = silentAt + tickAfter;
  if ((!m.standby && !p.heardTick) || m.now >= deadAt) {
    begin(m, p, "silence", alarmedSince(m, m.silentSince));
    return;
  }
  m.wake(deadAt);
}

/** Takes back what was begun because of silence. */
function lineIsBack(m: State, p: Link): void {
  m.silentSince = undefined;
  m.wolf.cry(m.now);
  m.changed = true;
  const h = m.hop;
  if (h?.left && !p.leaving) {
    h.landed = true; // here, after all
    report(m);
  } else if (h && h.cause !== "silence") {
    return; // other sessions are wanted for that
  } else {
    m.hop = undefined;
  }
  relaxOthers(m);
}

/** When the silence was first noticed. */
function alarmedSince(m: State, since: number): number {
  for (const v of m.voices) {
    if (v.state === "alarmed" && !v.recovered) {
      since = Math.min(since, v.alarmedAt);
    }
  }
  return since;
}
