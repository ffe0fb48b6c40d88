import { FRAME_MS } from "./config";

/**
 * How much earlier than possible, in ms, a frame must come before its timestamp
 * is taken for a step of the speaker's clock. No path gets a second faster from
 * one frame to the next.
 */
const CLOCK_STEP = 1000;

/**
 * Turns a speaker's timestamps into media time: ms since its first frame, going
 * on through steps of the speaker's clock. A pause of the speaker is no step:
 * time passes there as it does here.
 */
export class Timeline {
  /** A frame was placed. */
  begun = false;
  /** The highest sequence placed, and its media time. */
  newest = 0;
  media = 0;

  private origin = 0; // the timestamp that is media time 0, µs
  private shift = 0; // added since the last step
  private stepped = 0; // frames before this sequence are from before the last step
  private before = 0; // and had this shift

  /**
   * The media time of a frame that came at arrival (ms). The base is the
   * shortest transit known: arrival minus media time.
   */
  place(seq: number, timestampUs: number, arrival: number, base: number): number {
    if (!this.begun) {
      this.begun = true;
      this.origin = timestampUs;
      this.newest = seq;
      return 0;
    }
    const t = (timestampUs - this.origin) / 1000;
    if (seq <= this.newest) { // it was spoken before the newest
      const shift = seq < this.stepped ? this.before : this.shift;
      return Math.min(t + shift, this.media);
    }
    let m = t + this.shift;
    if (m < this.media || arrival - m < base - CLOCK_STEP) {
      m = Math.max(arrival - base, this.media + FRAME_MS); // as if it had come by the shortest way
      this.stepped = seq;
      this.before = this.shift;
      this.shift = m - t;
    }
    this.newest = seq;
    this.media = m;
    return m;
  }
}
