import type { OutputCounts } from "./output";

// What passes between the page and its worklets.

/** The names under which worklet.ts registers its two processors. */
export const OUTPUT_PROCESSOR = "stentor-output";
export const INPUT_PROCESSOR = "stentor-input";

/** What the output worklet is made with. */
export interface OutputSetup {
  channels: number;
  /** Of a Ring and of a Gauge; null: samples come, and reports go, as messages. */
  memory: { ring: ArrayBufferLike; gauge: ArrayBufferLike } | null;
  /** Samples that wait at most, where they come as messages. */
  size: number;
  record: boolean;
}

/** From the page to the output worklet, without shared memory: blocks, interleaved. */
export type OutputBlocks = Float32Array;

/** From the output worklet. Each wakes the page. */
export interface OutputReport {
  /** Little is left: more is to be mixed. With shared memory it is seldom said, without it in every report. */
  hungry: boolean;
  /** Without shared memory: what was counted so far. */
  counts?: OutputCounts;
  /** With record: what went out since the last report, interleaved. */
  recorded?: Float32Array;
}

/** Seconds of samples between two reports, where there is something to say every time. */
export const REPORT_EVERY = 0.06;

/** From the input worklet: what was captured, one channel, at the context's rate. */
export type InputBlock = Float32Array;

/** Samples in an InputBlock, at least. */
export const INPUT_TICK = 512;
