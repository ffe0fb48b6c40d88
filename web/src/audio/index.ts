export type * from "./api";
export { Buffer } from "./buffer";
export { type BufferConfig, defaultDelay, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE } from "./config";
export { AudioError } from "./errors";
export type { Hole } from "./holes";
export { type Level, LevelMeter, QUIETEST } from "./level";
export type { Slot } from "./slot";
export type { Outcome, Stats, Timing } from "./stats";
