// Times are milliseconds. Go's machine counts nanoseconds and rounds what it
// halves or stretches down to one; that much finer is no difference.

import { FRAME } from "./event";

/** Options tune a `Machine` or a `Pair`. None is needed. */
export interface Options {
  /**
   * In [0, 1), drawn by the caller once for each client: every pause is stretched
   * by it, so that the clients of a relay that died do not all knock on the same
   * door at once. 0 if absent.
   */
  readonly jitter?: number;
  /**
   * Do without a connected standby: when the primary fails, another relay is
   * dialled first. See also the event "set-cold". False if absent.
   */
  readonly cold?: boolean;
}

/**
 * How long a relay sends a session nothing before it sends a tick (docs/wire.md,
 * section 14.6).
 */
export const tickAfter = 200;

/**
 * After how long packets of up to longPacket are played if nobody wishes otherwise;
 * longer ones are played so much later as they are long (docs/playout.md).
 */
export const usualDelay = 200;
export const longPacket = 3 * FRAME;

/**
 * What a standby's answer takes that is in time where many ask at once: a round
 * trip of 40 ms, jitter both ways, and a busy processor.
 */
export const answerFor = 100;

/**
 * How long a standby has to answer a speculative subscription while the primary's
 * line is alive. Round trips above it do not occur on paths whose hops could be
 * unheard.
 */
export const patience = 250;

/** How long a session that hops rely on may stay mute. */
export const answerWithin = 1000;

/**
 * Bounds a speculation during which both sessions deliver, but the primary stays
 * behind.
 */
export const tryOutFor = 2000;

/**
 * A track that paused, as it seems, may have been lost on the primary's way to
 * its speaker; ticks do not tell. The standby is tried again after 2 s, 4, 8 and
 * 16, by when relays have repaired themselves.
 */
export const firstRetry = 2000;
export const maxRetries = 4;

/**
 * So many false alarms within ten to twenty seconds, and the line is taken for one
 * that cries wolf: it is given all the time that there is. A false alarm costs the
 * standby about ten packets, with twice as many a tenth of what listening does:
 * from then on the standby is spared, so that relays that are late because they are
 * busy do not make others so.
 */
export const manyFalseAlarms = 8;
export const mostFalseAlarms = 16;
export const falseAlarmWindow = 10_000;

/**
 * The next standby is dialled at leisure, so that a relay's death is not followed
 * at once by as many handshakes as it had listeners.
 */
export const standbyAfter = 250;
export const standbySpread = 2000;

/**
 * Over how long those dial who are to have a standby again: a relay tells thousands
 * in the same moment, and nothing is wrong that would need haste.
 */
export const warmSpread = 10_000;

/**
 * When an attempt without an answer gets company, if there is nothing to listen
 * to; and how many there are at once.
 */
export const stagger = 500;
export const maxDials = 2;

/** Bounds an attempt whose caller forgot to. */
export const dialTimeout = 10_000;

/**
 * How long the relay that a GOAWAY names may take to be reached before the
 * standby is used.
 */
export const redirectWithin = 2000;

/**
 * A hop for the better needs that to be the case for betterFor, and the last hop
 * to be settledFor ago.
 */
export const betterFor = 20_000;
export const settledFor = 60_000;

/** Not more than maxHops within hopWindow that could as well be left out. */
export const maxHops = 4;
export const hopWindow = 60_000;

/** The pauses between questions to the lobby. */
export const firstAsk = 1000;
export const longestAsk = 30_000;

/** A pause between d/2 and d, by the client's own jitter. */
export function pauseUpTo(d: number, jitter: number): number {
  return d / 2 + (jitter * d) / 2;
}

/** Between d and d plus over, by the client's own jitter. */
export function spread(d: number, over: number, jitter: number): number {
  return d + jitter * over;
}
