import { falseAlarmWindow } from "./options";

/**
 * The margin by which a packet may come later than expected: 1.5 times as late as
 * any has been within the last five to ten seconds, within these bounds and what
 * the packet's length leaves: see Voice.overdueIn.
 */
export const minMargin = 30;
export const maxMargin = 120;

/** What counts of one packet's lateness. */
const maxLate = (maxMargin * 2) / 3;

const arrivalWindow = 5000;

/**
 * Measures how evenly something comes: the earliest and the latest of the last
 * five to ten seconds, in two halves of which the older is forgotten as a whole.
 * The lateness that it returns is against the earliest.
 */
export class Arrivals {
  private began = 0; // of the newer half
  private early = Infinity; // lowest offsets
  private earlyOlder = Infinity;
  private late = 0;
  private lateOlder = 0;

  /** Begins anew on another path, with the old one's spread as a guess. */
  restart(now: number): void {
    this.lateOlder = Math.max(this.late, this.lateOlder);
    this.late = 0;
    this.early = this.earlyOlder = Infinity;
    this.began = now;
  }

  /**
   * Notes that something came with an offset, its arrival minus its media time,
   * and returns by how much it was later than the earliest, at most maxLate. Of
   * something out of a ring only the earliest counts.
   */
  observe(now: number, offset: number, ring: boolean): number {
    this.roll(now);
    this.early = Math.min(this.early, offset);
    const late = Math.min(offset - Math.min(this.early, this.earlyOlder), maxLate);
    if (!ring) {
      this.late = Math.max(this.late, late);
    }
    return late;
  }

  private roll(now: number): void {
    const age = now - this.began;
    if (age < arrivalWindow) {
      return;
    }
    if (age < 2 * arrivalWindow) {
      this.earlyOlder = this.early;
      this.lateOlder = this.late;
      this.began += arrivalWindow;
    } else {
      this.earlyOlder = Infinity;
      this.lateOlder = 0;
      this.began = now;
    }
    this.early = Infinity;
    this.late = 0;
  }

  /** How much later than expected is overdue. */
  margin(): number {
    const late = Math.max(this.late, this.lateOlder);
    return Math.min(Math.max(late * 1.5, minMargin), maxMargin);
  }
}

/** Counts false alarms. */
export class Wolf {
  private began = 0;
  private count = 0;
  private before = 0;

  cry(now: number): void {
    this.roll(now);
    this.count++;
  }

  /** How many there have been of late. */
  cries(now: number): number {
    this.roll(now);
    return this.count + this.before;
  }

  private roll(now: number): void {
    const age = now - this.began;
    if (age < falseAlarmWindow) {
      return;
    }
    const next = age < 2 * falseAlarmWindow;
    this.before = next ? this.count : 0;
    this.began = next ? this.began + falseAlarmWindow : now;
    this.count = 0;
  }
}
