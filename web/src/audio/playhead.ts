import { FRAME_MS } from "./config";

/** What a Buffer remembers of what it gave out last. All in ms of media time, or in blocks of 20 ms. */
export class Playhead {
  /** Where it ended. */
  position = 0;
  /** How much later than due it was given out. */
  lag = 0;
  /** It was audio: what follows continues it. */
  talking = false;
  /** Something was given out since the last restart. */
  begun = false;
  /** Blocks since the last packet. */
  run = 0;
  /** Blocks spent waiting for the next frame, nothing newer here. */
  waited = 0;
  /** Of those, what the decoder guessed. */
  guessed = 0;

  /** A frame was played. */
  play(media: number, lag: number): void {
    this.move(media, lag);
    this.talking = true;
    this.run = this.guessed = 0;
  }

  /** A frame was given up; run is counted by the caller. */
  move(media: number, lag: number): void {
    this.position = media + FRAME_MS;
    this.lag = lag;
    this.begun = true;
    this.waited = 0;
  }

  /** Silence was given out, after which audio begins when it is due. */
  rest(): void {
    this.talking = false;
    this.run = 0;
  }

  /** What comes next has nothing to do with what was. */
  leave(): void {
    this.talking = this.begun = false;
    this.run = this.waited = this.guessed = 0;
  }
}
