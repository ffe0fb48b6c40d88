import { FRAME_MS } from "./config";
import { parseOpus } from "../protocol/opus";

/**
 * Whether a packet is well formed and holds exactly one frame's time, 20 ms.
 * Decoders are not asked about others: what they would make of them does not fit
 * into a slot, and each of their complaints would be a line in the console.
 */
export function oneFrame(packet: Uint8Array): boolean {
  try {
    return parseOpus(packet).durationMs === FRAME_MS;
  } catch {
    return false;
  }
}
