import { encodeLevel } from "../protocol";

/** After how many frames of 20 ms a level is reported: ten times a second. */
const EVERY = 5;
/** By how many dB a frame has to be louder than what was reported to be reported at once: somebody has begun to speak. */
const RISE = 10;
/** What is taken for speech, in dBov without the sign. */
const SPEECH = 50;
/** Silence, as RFC 6464 has it. */
const SILENCE = 127;

/** Makes reports of how loud frames are: the mean power of the last five (docs/stage-audio.md). */
export class LevelReporter {
  private power = 0;
  private n = 0;
  private last: number | undefined; // reported

  /** Takes the level of the next frame that is sent, RMS in dBFS, and returns a report if one is due. */
  frame(rms: number): Uint8Array | undefined {
    const power = 10 ** (Math.min(rms, 0) / 10);
    this.power += power;
    this.n++;
    const now = belowFull(power);
    const rises = this.last !== undefined && now <= SPEECH && now + RISE <= this.last;
    if (this.n < EVERY && !rises && this.last !== undefined) return undefined;
    const level = rises ? now : belowFull(this.power / this.n);
    this.power = this.n = 0;
    this.last = level;
    return encodeLevel(level, level <= SPEECH);
  }
}

/** A power, 0 to 1, in dB below full scale. */
function belowFull(power: number): number {
  return Math.min(SILENCE, Math.max(0, Math.round(-10 * Math.log10(Math.max(power, 1e-13)))));
}
