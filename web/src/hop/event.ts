import type { Candidate } from "./candidate";

/** The unit in which sequences count, in milliseconds. */
export const FRAME = 20;

/**
 * One attempt to reach a relay, and the session that comes of it. The machine
 * gives the numbers, from 1 and each once.
 */
export type Session = number;

/**
 * One speaker's voice, the same on every session that has it. The caller gives
 * the numbers, from 1 and a new one to a speaker who starts over.
 */
export type Track = number;

/**
 * The track by which a relay says that it is still there (docs/wire.md, section
 * 14.6).
 */
export const TICK: Track = 0;

/**
 * What a caller tells a `Machine` or a `Pair`. The kinds are the words of the
 * table of cases. Those about a session that the machine has closed are ignored,
 * so a caller need not cancel what is under way.
 */
export type Event =
  /** Nothing but time passed. */
  | { readonly kind: "now" }
  /** The relays there are, best first. */
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  /**
   * The session of a "dial" is up. Ticks says that its relay sends them: one that
   * has introduced itself as Stentor. Without them silence of the line proves
   * nothing.
   */
  | { readonly kind: "dialled"; readonly session: Session; readonly ticks: boolean }
  /** It will not be up; if final, the relay will never take this client. */
  | { readonly kind: "dial-failed"; readonly session: Session; readonly final: boolean }
  /** A session ended, not by an effect. */
  | { readonly kind: "closed"; readonly session: Session }
  /** The session has the track, so it may be subscribed to. */
  | { readonly kind: "announced"; readonly session: Session; readonly track: Track }
  /** The session has it no more. */
  | { readonly kind: "ended"; readonly session: Session; readonly track: Track }
  | Arrived
  /** A group of `TICK` came. */
  | { readonly kind: "ticked"; readonly session: Session }
  | Goaway
  /** The local address is gone. */
  | { readonly kind: "network-changed" }
  /** The candidate of that name would serve better; empty: none would. */
  | { readonly kind: "better"; readonly name: string }
  /** Whether to do without a connected standby from now on. */
  | { readonly kind: "set-cold"; readonly cold: boolean }
  /** The session's relay is said to be gone, by another one. */
  | { readonly kind: "gone"; readonly session: Session }
  /** It is said that no relay sends what of the track is to come to listeners. */
  | { readonly kind: "withheld"; readonly track: Track };

/** A group came. A caller may use one object for all of them: none is kept. */
export interface Arrived {
  readonly kind: "arrived";
  readonly session: Session;
  readonly track: Track;
  /** That of its first frame. */
  readonly sequence: number;
  /** How many it has room for: 1, 3 or 6. */
  readonly frames: number;
  /** The media time of the first, in milliseconds (on the wire: microseconds). */
  readonly timestamp: number;
}

/** The relay asks to leave. */
export interface Goaway {
  readonly kind: "goaway";
  readonly session: Session;
  readonly cause: "drain" | "load";
  /** Whereto. One counts only if it is that of a candidate. */
  readonly uris: readonly string[];
  /** How soon the session will be closed, in milliseconds; 0: unknown. */
  readonly within: number;
}

/**
 * What the caller is to do. Effects are to be carried out in order and must not
 * be waited for.
 */
export type Effect =
  /** Connect, then say "dialled" or "dial-failed". */
  | { readonly kind: "dial"; readonly session: Session; readonly candidate: Candidate }
  /**
   * Start is the first frame wanted; undefined: the newest is. A group of several
   * frames is asked for that has it among them.
   */
  | { readonly kind: "subscribe"; readonly session: Session; readonly track: Track; readonly start: number | undefined }
  | { readonly kind: "unsubscribe"; readonly session: Session; readonly track: Track }
  /** End the session or the attempt. Without a cause it is not needed any more. */
  | { readonly kind: "close"; readonly session: Session; readonly cause: Cause | undefined }
  /** Fetch a list of candidates, if there is a lobby. */
  | { readonly kind: "ask-lobby" }
  | Hopped;

/** A hop is done. */
export interface Hopped {
  readonly kind: "hopped";
  /** The new one. */
  readonly session: Session;
  /** The name of the candidate that was left. */
  readonly from: string;
  readonly to: string;
  readonly cause: Cause;
  /**
   * Milliseconds from when the cause was noticed until the new session first
   * brought something.
   */
  readonly took: number;
}

/**
 * Why a relay is left: it leaves and said so ("drain"), it has too many and said
 * so ("load"), the session ended ("closed"), what was to come over it did not
 * ("silence"), this end's address changed ("network"), another relay serves
 * better ("better"). The words are those that statistics show.
 */
export type Cause = "drain" | "load" | "closed" | "silence" | "network" | "better";
