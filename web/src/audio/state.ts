import type { PlayerState } from "./api";

/**
 * What the state of an AudioContext means to a listener. A context is suspended
 * before the first gesture, and again when the system took the sound away;
 * "interrupted" is what iOS calls the latter. ran: it was running once.
 */
export function stateOf(context: string, ran: boolean): PlayerState {
  switch (context) {
    case "running":
      return "playing";
    case "closed":
      return "closed";
    case "suspended":
      return ran ? "interrupted" : "locked";
  }
  return "interrupted";
}
