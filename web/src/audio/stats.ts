/**
 * Counts 20 ms source frames of one track since its buffer was made, whatever
 * number of them a datagram carried.
 *
 * Every pushed frame ends up in exactly one of played, late, duplicate, refused
 * and skipped, unless it still waits. Every sequence that playout has passed
 * while somebody could listen is in exactly one of played and lost.
 */
export interface Stats {
  /** The first sequence that was played or given up. */
  first: number;
  /** The last one; both restart when the speaker does. */
  last: number;

  /** Sequences that playout has passed: played + lost. */
  expected: number;
  /** Given out as packets. */
  played: number;
  /** Given up: not here, or too old, when their time came. */
  lost: number;

  /** Of those lost: covered by the decoder's guess. */
  concealed: number;
  /** Of those played: had been missing, and were fetched. */
  repaired: number;

  /** Copies of a frame that had come already. */
  duplicate: number;
  /** First copies that came after their sequence was given up. */
  late: number;
  /** No audio frame, or a sequence far outside the window. */
  refused: number;
  /** Blocks of 20 ms inserted because a frame of running speech was not there yet. */
  stalled: number;
  /** Came, and their time went by while the browser let nobody listen. Not expected, nor lost. */
  skipped: number;
}

/** Stats with nothing counted. */
export function noStats(): Stats {
  return {
    first: 0, last: 0, expected: 0, played: 0, lost: 0, concealed: 0,
    repaired: 0, duplicate: 0, late: 0, refused: 0, stalled: 0, skipped: 0,
  };
}

/**
 * What became of a pushed frame. "accepted": will be played, or is too old when
 * its time comes. "duplicate": came before. "late": was given up already.
 * "refused": empty, too long, or far outside the window.
 */
export type Outcome = "accepted" | "duplicate" | "late" | "refused";

/** How a track's frames arrive, and what follows from it. Times in ms. */
export interface Timing {
  /** How long after its earliest arrival a frame is played. */
  delay: number;
  /** How much later than the earliest 99 in 100 come. */
  spread: number;
  /** How much later than due the last frame was played. */
  lag: number;
  /** By how much the speaker's clock is slower than ours; 1e-6 is one ppm. */
  skew: number;
  /** Frames that wait. */
  buffered: number;
  /** Sequences that wait to be repaired. */
  missing: number;
}
