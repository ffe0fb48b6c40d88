import { clamp } from "./config";

/** Bounds the ratio around 1: half a percent, 9 cents, is not heard as a change of pitch. */
export const MAX_STRETCH = 0.005;

/**
 * How much faster audio is read for each second it lags: a lag under 50 ms is
 * halved every 7 s, a greater one falls by 5 ms a second.
 */
const PULL = 0.1;

/**
 * The share of a new lag in the smoothed one: a second's worth of frames, so that
 * blocks asked for in bursts do not make the pitch flutter.
 */
const SMOOTHING = 0.02;

/**
 * How much audio may lag or lead before that is mended, and how little is left of it
 * then, in seconds: to read at another ratio than 1 takes more of the processor than
 * to decode, and 5 ms of 200 harm nobody.
 */
const TOLERATED = 0.005;
const MENDED = 0.0005;

/** Clocks that differ by more are followed all the time: the lag would be back within a minute. */
const SAME_CLOCK = 60e-6;

/**
 * The controller that keeps audio at its due time: by the measured difference of
 * the clocks, and by what lag remains. Where neither is worth it, it lets be.
 */
export class Pace {
  private lag: number | null = null; // smoothed, s; null in silence
  private steering = false;

  /** Notes by how much (ms) a frame of running audio was later than due. */
  played(lagMs: number): void {
    const lag = lagMs / 1000;
    this.lag = this.lag === null ? lag : this.lag + SMOOTHING * (lag - this.lag);
  }

  /** Notes a silence, after which audio begins when it is due. */
  rested(): void {
    this.lag = null;
  }

  /** How many samples of the speaker to read for one of ours. */
  ratio(skew: number): number {
    const lag = this.lag ?? 0;
    this.steering = Math.abs(lag) > (this.steering ? MENDED : TOLERATED) || Math.abs(skew) > SAME_CLOCK;
    return this.steering ? clamp(1 - skew + PULL * lag, 1 - MAX_STRETCH, 1 + MAX_STRETCH) : 1;
  }
}
