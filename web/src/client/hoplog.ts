import type { Hopped } from "../hop";
import type { Hop } from "./types";

/** How long after a hop its losses may still come to light: by then every buffer has played what it held. */
const SETTLED_AFTER = 2000;

/** How often the frames lost are counted at most, in ms; where nothing is missing, twice as rarely. */
export const LOST_EVERY = 100;
/**
 * How many counts are kept: a hop is known when it is over, and one that took
 * longer than they reach back is charged with what was lost since.
 */
const LOST_KEPT = 100;
/** Bounds what is remembered of a listener that hops all day. */
const MAX_HOPS = 1000;

interface Logged {
  hop: Hop;
  /** Frames lost until it began. */
  before: number;
  /** When what is lost is not its any more. */
  until: number;
  /** Whether its losses were told. */
  told: boolean;
}

/**
 * The history of a listener's relays. It is told the time since the listener began,
 * in ms, and how many frames have been lost so far.
 */
export class HopLog {
  private readonly logged: Logged[] = [];
  private readonly counts: { at: number; lost: number }[] = []; // oldest first

  /** The hops so far, the last one with its losses as they are now. */
  get hops(): Hop[] {
    return this.logged.map((entry) => ({ ...entry.hop }));
  }

  /** Notes what the machine reports at a time. */
  hopped(e: Hopped, at: number): void {
    const begun = Math.max(at - e.took, 0);
    this.close(begun);
    if (this.logged.length === MAX_HOPS) this.logged.shift();
    const before = this.lostAt(begun);
    const lost = Math.max((this.counts.at(-1)?.lost ?? before) - before, 0);
    this.logged.push({
      hop: { atMs: at, from: e.from, to: e.to, cause: e.cause, tookMs: e.took, lost },
      before,
      until: at + SETTLED_AFTER,
      told: false,
    });
  }

  /**
   * Takes the frames lost so far and charges the last hop with its share. Returns
   * the hops whose losses are settled by this, each once.
   */
  count(at: number, lost: number): Hop[] {
    if (this.counts.length === LOST_KEPT) this.counts.shift();
    this.counts.push({ at, lost });
    const last = this.logged.at(-1);
    if (last && at <= last.until + LOST_EVERY) last.hop.lost = Math.max(lost - last.before, 0);
    const settled = this.logged.filter((entry) => !entry.told && entry.until <= at);
    for (const entry of settled) entry.told = true;
    return settled.map((entry) => ({ ...entry.hop }));
  }

  /** Lets the last hop be over where another begins. */
  private close(at: number): void {
    const last = this.logged.at(-1);
    if (last && last.until > at) {
      last.until = at;
      last.hop.lost = Math.max(this.lostAt(at), last.before) - last.before;
    }
  }

  /** How many frames had been lost at a time: by the newest count before it, or else the oldest there is. */
  private lostAt(at: number): number {
    let lost = this.counts[0]?.lost ?? 0;
    for (const c of this.counts) {
      if (c.at > at) break;
      lost = c.lost;
    }
    return lost;
  }
}
