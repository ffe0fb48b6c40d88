import { clamp, FRAME_MS } from "./config";

/**
 * Bounds of the lead, in ms; it begins with the least. For who only listens that is a
 * packet of 60 ms, as the page is awake when one comes, a block of the sound card,
 * 32 ms, and some 50 ms for which the page may be kept from mixing. Who speaks, too,
 * wants answers sooner, and has the page woken in between.
 */
export const LEAST_LEAD = 140;
export const LEAST_TALKING = 100;
const MOST_LEAD = 300;

/** ms without an underrun after which the lead is tried a block shorter. */
const CALM = 60_000;

/**
 * Chooses how much is mixed ahead of the sound card, in ms: as much as the page is
 * at times kept from mixing, and no more, since all is heard later by that much.
 * What an underrun missed is added at once, in whole blocks; each calm minute
 * takes one back.
 */
export class Lead {
  /** ms. */
  value = LEAST_LEAD;

  private least = LEAST_LEAD;
  private missed = 0;
  private spare = 0; // by how much the last change was more than what was missed
  private since: number | null = null; // the last change

  /** Changes the least; the lead goes along. */
  atLeast(ms: number): void {
    this.value += ms - this.least;
    this.least = ms;
  }

  /** Takes at now how much was missed so far (ms, both), and returns the lead. */
  update(missed: number, now: number): number {
    this.since ??= now;
    if (missed > this.missed) {
      this.spare -= missed - this.missed;
      this.missed = missed;
      if (this.spare < 0) {
        const more = Math.ceil(-this.spare / FRAME_MS) * FRAME_MS;
        this.spare += more;
        this.change(more, now);
      }
    } else if (now - this.since >= CALM) {
      this.change(-FRAME_MS, now);
    }
    return this.value;
  }

  private change(by: number, now: number): void {
    this.value = clamp(this.value + by, this.least, MOST_LEAD);
    this.since = now;
  }
}
