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
 * The controller that keeps audio at its due time: by the measured difference of
 * the clocks, and by what lag remains.
 */
export class Pace {
  private lag: number | null = null; // smoothed, s; null in silence

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
    return clamp(1 - skew + PULL * (this.lag ?? 0), 1 - MAX_STRETCH, 1 + MAX_STRETCH);
  }
}
