import type { CapturedFrame } from "./api";
import { FRAME_MS } from "./config";
import { QUIETEST } from "./level";

/**
 * Packets that the longest derived track puts into one group. A speaker falls
 * silent only after a whole one.
 */
const BUNDLE = 6;

/**
 * Decides which frames of a speaker go out, and numbers them. It opens with speech
 * and closes in silence, but never inside a bundle: then every relay makes the same
 * whole bundles and none waits for packets that never come. Sequences count what
 * goes out, timestamps what was captured.
 */
export class Gate {
  private open = false;
  private sequence = 0;
  private timestampUs: number;

  /** startUs is the timestamp of the first frame. */
  constructor(startUs = 0) {
    this.timestampUs = startUs;
  }

  /** What the next frame would be, if it goes out. */
  get next(): { sequence: number; timestampUs: number } {
    return { sequence: this.sequence, timestampUs: this.timestampUs };
  }

  /** Takes the next 20 ms as a packet so loud (dBFS), which may be silent; null if it is not to be sent. */
  pass(packet: Uint8Array, silent: boolean, rms = QUIETEST): CapturedFrame | null {
    const { sequence, timestampUs } = this;
    this.timestampUs += FRAME_MS * 1000;
    if (!silent) this.open = true;
    else if (sequence % BUNDLE === 0) this.open = false;
    if (!this.open) return null;
    this.sequence++;
    return { sequence, timestampUs, packet, rms };
  }
}
