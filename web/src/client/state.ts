import type { PlayerState } from "../audio";
import type { ListenerState } from "./types";

/** What a listener's state depends on. */
export interface Situation {
  readonly running: boolean;
  readonly failed: boolean;
  /** A relay carries the room at this moment. */
  readonly connected: boolean;
  /** One did before. */
  readonly wasConnected: boolean;
  /** The network is full. */
  readonly queued: boolean;
  readonly sound: PlayerState;
  /** How many are live in the room. */
  readonly speakers: number;
}

/** What a listener is, in the words of its page: the thing to be mended first comes first. */
export function listenerState(s: Situation): ListenerState {
  if (s.failed) return "failed";
  if (!s.running) return "idle";
  if (!s.connected) {
    if (s.queued) return "queued";
    return s.wasConnected ? "reconnecting" : "connecting";
  }
  if (s.sound === "locked") return "locked";
  if (s.sound === "interrupted") return "interrupted";
  return s.speakers > 0 ? "playing" : "waiting";
}
