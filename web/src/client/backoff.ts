/** The first pause and the longest, in ms: what other implementations of the protocol use. */
const FIRST = 1000;
const LONGEST = 5000;
/** How long an attempt must have lived, in ms, for the next pause to be a first one again. */
const PROVEN_AFTER = 1000;

/** Spaces attempts at something that keeps failing. */
export class Backoff {
  private pause = FIRST;

  constructor(private readonly random: () => number) {}

  /** How long to wait, in ms, before another attempt, after one that lived for `livedMs`. */
  next(livedMs: number): number {
    if (livedMs > PROVEN_AFTER) this.pause = FIRST;
    const wait = this.pause * (0.5 + this.random() / 2);
    this.pause = Math.min(2 * this.pause, LONGEST);
    return wait;
  }
}
