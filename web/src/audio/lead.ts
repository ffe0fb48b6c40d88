import { clamp, FRAME_MS } from "./config";

/** Bounds and beginning of the lead, in ms. */
export const LEAST_LEAD = 60;
const MOST_LEAD = 240;

/** ms without an underrun after which the lead is tried a block shorter. */
const CALM = 60_000;

/**
 * Chooses how much is mixed ahead of the sound card, in ms: as much as the page is
 * at times kept from mixing, and no more, since all is heard later by that much.
 * Each underrun adds a block; each calm minute takes one back.
 */
export class Lead {
  /** ms. */
  value = LEAST_LEAD;

  private underruns = 0;
  private since: number | null = null; // the last change

  /** Takes at now (ms) how many underruns there were so far, and returns the lead. */
  update(underruns: number, now: number): number {
    this.since ??= now;
    if (underruns > this.underruns) {
      this.underruns = underruns;
      this.change(FRAME_MS, now);
    } else if (now - this.since >= CALM) {
      this.change(-FRAME_MS, now);
    }
    return this.value;
  }

  private change(by: number, now: number): void {
    this.value = clamp(this.value + by, LEAST_LEAD, MOST_LEAD);
    this.since = now;
  }
}
