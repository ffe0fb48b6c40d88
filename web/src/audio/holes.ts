import { FRAME_MS } from "./config";
import type { Entry } from "./window";

/** A missing frame that is worth a FETCH. */
export interface Hole {
  sequence: number;
  /** When it must be here at the latest: ms of the buffer's clock. */
  by: number;
}

/** Times one frame is asked for. */
const MAX_ASKS = 3;

/** Whether the hole e, needed by a moment, is to be fetched at now; notes that it is. All in ms. */
export function ask(e: Entry, now: number, by: number, roundTrip: number, reorder: number): boolean {
  if (e.left || e.asks >= MAX_ASKS) return false;
  if (now - e.noticed < reorder || by - now <= roundTrip) return false;
  if (e.asking && now - e.asked < roundTrip + FRAME_MS) return false;
  e.asking = true;
  e.asked = now;
  e.asks++;
  return true;
}
