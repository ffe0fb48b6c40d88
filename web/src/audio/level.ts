/** The level of silence, in dBFS. */
export const QUIETEST = -120;

/** Where samples that no decoder should make are cut. */
const LOUDEST = 1024;

/**
 * How loud a block is, in dBFS: 0 is a peak of 1, or the RMS of a square wave of
 * that height. Never below QUIETEST.
 */
export interface Level {
  rms: number;
  peak: number;
}

/** The level of pcm over all its channels. */
export function measure(pcm: Float32Array): Level {
  let power = 0;
  let peak = 0;
  for (const sample of pcm) {
    const v = sane(sample);
    power += v * v;
    peak = Math.max(peak, Math.abs(v));
  }
  return { rms: decibels(Math.sqrt(power / Math.max(pcm.length, 1))), peak: decibels(peak) };
}

function decibels(amplitude: number): number {
  return Math.max(20 * Math.log10(amplitude), QUIETEST);
}

/** v, or the nearest value that a sum can be made of. */
export function sane(v: number): number {
  if (v !== v) return 0;
  return Math.min(Math.max(v, -LOUDEST), LOUDEST);
}

/**
 * A meter for the eye: it rises at once and falls by 20 dB a second, so that a
 * display drawn at any rate shows each syllable.
 */
export class LevelMeter {
  private shown = QUIETEST;
  private at = 0;

  /** What to show at now (ms), in dBFS, given the newest level. */
  show(level: Level, now: number): number {
    const fallen = this.shown - (20 * Math.max(now - this.at, 0)) / 1000;
    this.at = now;
    this.shown = Math.max(level.rms, fallen, QUIETEST);
    return this.shown;
  }
}
