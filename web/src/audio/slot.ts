/**
 * What the next 20 ms of a track are.
 *
 * - play: decode `packet`.
 * - lost: `sequence` is given up; let the decoder guess, fading with `run`.
 * - starved: the next frame should be here and is not, nor is any newer one. It
 *   is late, lost or the speaker has stopped: nobody knows yet. Guess as above.
 * - silence: nothing is to sound for `wait` ms (above 0).
 * - ended: the track is over and all of it was given out.
 */
export type Slot =
  | {
      kind: "play";
      sequence: number;
      /** The speaker's clock, µs. */
      timestamp: number;
      /** One Opus packet. */
      packet: Uint8Array;
      /** Had been missing, and was fetched. */
      repaired: boolean;
      /** How much later than due it is given out, ms; negative is early. */
      lag: number;
    }
  | {
      kind: "lost";
      sequence: number;
      /** How many lost or starved slots in a row, this one included. */
      run: number;
      lag: number;
    }
  | { kind: "starved"; run: number }
  | { kind: "silence"; wait: number }
  | { kind: "ended" };
