import type { Effect, Event, Session } from "./event";
import type { Options } from "./options";

/**
 * Decides for one speaker: it keeps sessions with two relays, in two zones if
 * possible, both of which publish all the time. One that is to be replaced is
 * closed only when two others are up. A new pair knows of no relay yet.
 *
 * Of the events it wants "now", "candidates", "dialled", "dial-failed", "closed",
 * "ticked", "goaway" and "network-changed"; its effects are "dial", "subscribe"
 * and "unsubscribe" (only to `TICK`), "close", "ask-lobby" and "hopped".
 */
export class Pair {
  constructor(options: Options = {}) {
    void options;
  }

  /** Tells the pair what happened and returns what to do, as `Machine.step`. */
  step(now: number, event: Event = { kind: "now" }): readonly Effect[] {
    void [now, event];
    return [];
  }

  /** As `Machine.deadline`. */
  deadline(): number | undefined {
    return undefined;
  }

  /** The sessions that are up, but for those to be replaced. */
  live(): Session[] {
    return [];
  }
}
