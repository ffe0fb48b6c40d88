import type { OutputCounts } from "./output";

// What passes between the page and its worklets.

/** The names under which worklet.ts registers its two processors. */
export const OUTPUT_PROCESSOR = "stentor-output";
export const INPUT_PROCESSOR = "stentor-input";

/** What the output worklet is made with. */
export interface OutputSetup {
  channels: number;
  /** Of a Ring; null: samples come as messages. */
  memory: ArrayBufferLike | null;
  /** Samples that wait at most, where they come as messages. */
  size: number;
  record: boolean;
}

/** From the page to the output worklet, without shared memory: a block, interleaved. */
export type OutputBlock = Float32Array;

/** From the output worklet, every TICK blocks. */
export interface OutputReport extends OutputCounts {
  /** Samples that wait here. */
  queued: number;
  /** With record: what went out since the last report, interleaved. */
  recorded?: Float32Array;
}

/** How many render quanta of 128 samples go by between two reports: 21.3 ms at 48 kHz. Each wakes the page. */
export const TICK = 8;

/** From the input worklet: what was captured, one channel, at the context's rate. */
export type InputBlock = Float32Array;

/** Render quanta in an InputBlock. */
export const INPUT_TICK = 4;
