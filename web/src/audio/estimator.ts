import { type BufferConfig, clamp, FRAME_MS, withDefaults } from "./config";
import { Skew } from "./skew";

/** The window of arrivals, in frames: ten seconds of speech. */
const SPREAD_FRAMES = 512;
/** ms; older arrivals say nothing, however few are newer. */
const SPREAD_AGE = 30_000;
/** So many in 100 frames come within the spread. */
const QUANTILE = 99;
/**
 * ms; the spread is counted again at least this often, and at once when a frame
 * came later than the delay allows.
 */
const RECOUNT = 1000;
/** ms. */
const SPREAD_MARGIN = FRAME_MS;
/**
 * A delay too long by more than the slack (ms) shrinks by 5 ms a second, which is
 * what the resampler can follow unheard.
 */
const SHRINK_SLACK = FRAME_MS;
const SHRINK_RATE = 0.005;
/**
 * ms; when all frames of one second came too late for any delay, the speaker's
 * clock stood still, and the old arrivals are no measure for the new.
 */
const HOPELESS_FOR = 1000;

/**
 * Chooses the playout delay of a track from when its frames arrive: never from
 * round-trip times, which say nothing about their spread. All times in ms.
 *
 * Each frame has an offset, its arrival minus its media time: transit time plus
 * the unknown difference of two clocks. The lowest offset of the window is the
 * base; how far above it all but one in a hundred come is the spread; and the
 * delay is the spread plus 20 ms for what the window has not seen. The delay
 * grows at once and shrinks slowly.
 */
export class Estimator {
  /** The lowest offset: the media time that is arriving at t, at the earliest, is t - base. */
  base = 0;
  /** How much later than the earliest all but one frame in a hundred come. */
  spread = 0;

  private readonly min: number;
  private readonly max: number;
  private arrivals: { offset: number; at: number }[] = []; // oldest first
  private delayed: number;
  private dirty = false; // count at the next chance
  private counted = 0; // when it was counted
  private updated = 0; // when the delay was brought up to date
  private shrinking = false;
  private hopelessSince: number | null = null; // since when all frames came later than max
  private readonly clocks = new Skew();

  constructor(config: BufferConfig = {}) {
    const full = withDefaults(config);
    this.min = full.minDelay;
    this.max = full.maxDelay;
    this.delayed = full.minDelay;
  }

  /**
   * Counts the first copy of a frame that took the usual way; a fetched frame's
   * arrival says nothing about it.
   */
  observe(media: number, arrival: number): void {
    const offset = arrival - media;
    this.forget(arrival);
    if (this.arrivals.length === 0 || offset < this.base) {
      this.base = offset;
      this.dirty = true;
    }
    if (offset - this.base <= this.max) {
      this.hopelessSince = null;
    } else if (this.standsStill(arrival)) {
      this.arrivals = [];
      this.base = offset;
      this.dirty = true;
    } else {
      return; // no delay would have helped
    }
    if (this.arrivals.length === SPREAD_FRAMES) this.arrivals.shift();
    this.arrivals.push({ offset, at: arrival });
    if (offset - this.base + SPREAD_MARGIN > this.delayed) this.dirty = true;
    this.clocks.observe(arrival, offset);
  }

  /**
   * Of a frame later than any delay allows for: whether all have been so for
   * long enough to be the new usual.
   */
  private standsStill(arrival: number): boolean {
    this.hopelessSince ??= arrival;
    if (arrival - this.hopelessSince < HOPELESS_FOR) return false;
    this.hopelessSince = null;
    return true;
  }

  /**
   * Forgets the arrivals, not the delay nor the skew: the same speaker on the
   * same path begins to count anew.
   */
  restart(): void {
    this.arrivals = [];
    this.hopelessSince = null;
  }

  /**
   * By how much the speaker's clock is slower than ours: 1e-6 is one part per
   * million. It is 0 until 20 s are measured, and at most 500e-6.
   */
  get skew(): number {
    return this.clocks.ratio;
  }

  /**
   * How long after its earliest possible arrival a frame is given out. It is due
   * at base + media time + delay(now).
   */
  delay(now: number): number {
    if (this.arrivals.length > 0 && (this.dirty || now - this.counted >= RECOUNT)) this.count(now);
    const passed = Math.max(now - this.updated, 0);
    this.updated = Math.max(now, this.updated);

    const want = clamp(this.spread + SPREAD_MARGIN, this.min, this.max);
    if (want >= this.delayed) {
      this.delayed = want;
      this.shrinking = false;
    } else if (this.shrinking || this.delayed - want > SHRINK_SLACK) {
      this.shrinking = true;
      this.delayed = Math.max(want, this.delayed - SHRINK_RATE * passed);
    }
    return this.delayed;
  }

  private count(now: number): void {
    this.dirty = false;
    this.counted = now;
    this.forget(now);
    const sorted = this.arrivals.map((a) => a.offset).sort((a, b) => a - b);
    if (sorted.length === 0) return;
    this.base = sorted[0]!;
    this.spread = sorted[Math.floor((sorted.length * QUANTILE - 1) / 100)]! - this.base;
  }

  /** Drops arrivals that are too old to say anything. */
  private forget(now: number): void {
    while (this.arrivals.length > 0 && now - this.arrivals[0]!.at > SPREAD_AGE) this.arrivals.shift();
  }
}
