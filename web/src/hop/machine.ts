import type { Candidate } from "./candidate";
import type { Effect, Event, Session } from "./event";
import type { Options } from "./options";

/** A session, and the relay it is with. */
export interface Held {
  readonly session: Session;
  readonly candidate: Candidate;
}

/** Decides for one listener. A new machine knows of no relay yet. */
export class Machine {
  constructor(options: Options = {}) {
    void options;
  }

  /**
   * Tells the machine what happened at the time `now`, in milliseconds from any
   * fixed moment, and returns what to do. The list is good until the next step.
   * Time that steps back stands still.
   */
  step(now: number, event: Event = { kind: "now" }): readonly Effect[] {
    void [now, event];
    return [];
  }

  /**
   * When the machine wants to be stepped next, if nothing happens before;
   * undefined if it can wait for ever. It may be earlier than need be.
   */
  deadline(): number | undefined {
    return undefined;
  }

  /** What is listened to. */
  primary(): Held | undefined {
    return undefined;
  }

  /** What stands by. */
  standby(): Held | undefined {
    return undefined;
  }
}
