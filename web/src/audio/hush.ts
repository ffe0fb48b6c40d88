import type { Level } from "./level";

/**
 * Below this RMS, in dBFS, nobody speaks: browsers' noise suppression leaves a
 * quiet room under -60, and soft speech at a microphone is above -45.
 */
const QUIET = -55;

/** How many frames after speech still belong to it: 400 ms, so that no word's end is cut. */
const HANGOVER = 20;

/**
 * Tells silence from speech by level. Encoders have a mode of their own for this
 * (DTX), but in a browser it hides which packets it left out: Chromium's numbers
 * what remains as if nothing were missing.
 */
export class Hush {
  private quietFor = Number.POSITIVE_INFINITY; // frames

  /** Takes the next frame's level and says whether it is silence. */
  silent({ rms }: Level): boolean {
    this.quietFor = rms < QUIET ? this.quietFor + 1 : 0;
    return this.quietFor > HANGOVER;
  }
}
