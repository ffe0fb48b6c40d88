import { Arrivals, Wolf } from "./arrivals";
import { Book } from "./book";
import type { Cause, Effect, Session } from "./event";
import { maxLinks } from "./link";
import type { Link } from "./link";
import type { Options } from "./options";
import type { Voice } from "./voice";

/**
 * A hop that is going on. It has left once another session is the primary, and
 * landed unless that one is to be left as well before anything has come from it;
 * when something has, the move is over.
 */
export interface Move {
  readonly cause: Cause;
  readonly from: string;
  readonly begun: number;
  left: boolean;
  landed: boolean;
  /** The candidate to go to, and until when; empty: whichever. */
  want: string;
  wantUntil: number;
}

/** All that a `Machine` knows. The functions that take it are what it does. */
export class State {
  now = 0;
  readonly effects: Effect[] = [];

  /** When everything is to be looked at again; and whether to do so at once. */
  deadline = 0;
  changed = true;

  readonly jitter: number;
  cold: boolean;
  readonly book: Book;

  /** The number given last. */
  last: Session = 0;
  readonly links: (Link | undefined)[] = new Array<undefined>(maxLinks).fill(undefined);
  /** In use. */
  primary: Link | undefined;
  /** Not in use, or on trial. */
  standby: Link | undefined;

  voices: Voice[] = [];
  /** Of the primary's ticks. */
  readonly pulse = new Arrivals();
  ringUntil = 0;
  readonly wolf = new Wolf();
  /** Since when the primary's line has been silent as a whole, if it is. */
  silentSince: number | undefined;
  hop: Move | undefined;

  /** A relay that would serve better; empty: none. */
  better = "";
  betterSince = 0;
  /** When the last maxHops hops were, the newest first. */
  hops: number[] = [];

  /** A standby is not dialled, nor the lobby asked, before. */
  standbyAt = 0;
  askAt = 0;
  askPause = 0;

  constructor(options: Options) {
    this.jitter = options.jitter ?? 0;
    this.cold = options.cold ?? false;
    this.book = new Book(this.jitter);
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  /** Asks for a review at a time to come. What was due before has been seen to. */
  wake(at: number): void {
    if (at > this.now && at < this.deadline) {
      this.deadline = at;
    }
  }
}
