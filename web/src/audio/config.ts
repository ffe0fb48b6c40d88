/** The length of one source frame, in ms. */
export const FRAME_MS = 20;

/** Samples a second and channel of all PCM here. */
export const SAMPLE_RATE = 48000;

/** Samples of a frame in each channel. */
export const FRAME_SAMPLES = 960;

/**
 * The longest packet a buffer takes, in bytes. The longest Opus frame is 1275
 * bytes (RFC 6716 §3.2.1) and encoders put one or two into a packet of 20 ms.
 */
export const MAX_PACKET = 4096;

/** Keeps a track's memory small whatever the configuration asks for. */
const LONGEST_DELAY = 10_000;

/** Tunes a Buffer, or each speaker of a player. Every field may be left out; times in ms. */
export interface BufferConfig {
  /**
   * How much audio one datagram of the subscribed track brings: 20, 60 or 120.
   * It only chooses defaults. Default 20.
   */
  packetMs?: number;

  /**
   * The playout delay to begin with, and the least it shrinks to: how much
   * later than the earliest possible a frame may come and is still played. It
   * is the time there is to repair a loss or to hop to another relay. Default
   * defaultDelay(packetMs); at most 10 000.
   */
  minDelay?: number;

  /**
   * The most the delay grows to, and the age at which a frame is no longer
   * worth playing. Default 1000; at least minDelay, at most 10 000.
   */
  maxDelay?: number;

  /**
   * How long a missing frame is given to turn up by itself after a newer one
   * came, before it is worth a FETCH. Default 10, a little more than packets
   * that overtake each other on one path need; or 0 when packetMs is more than
   * 20: packets that far apart do not.
   */
  reorder?: number;

  /**
   * How long the decoder may invent audio in one go before the output fades to
   * silence. Default 80: beyond that invented speech sounds worse than none.
   */
  conceal?: number;
}

/** A BufferConfig with everything filled in. */
export interface FullConfig extends Required<BufferConfig> {
  /** How many frames a window spans: a power of two. */
  frames: number;
  /** How many frames in a row are concealed before silence. */
  concealed: number;
}

/**
 * The playout delay, in ms, that lets a listener lose its relay unheard when
 * each datagram brings packetMs of audio: 200 for 20 and 60, 320 for anything
 * longer. docs/playout.md has the sum.
 */
export function defaultDelay(packetMs: number): number {
  return packetMs > 60 ? 320 : 200;
}

/** Fills in what was left out and brings the rest within its bounds. */
export function withDefaults(config: BufferConfig = {}): FullConfig {
  const packetMs = config.packetMs ?? FRAME_MS;
  const minDelay = clamp(config.minDelay ?? defaultDelay(packetMs), FRAME_MS, LONGEST_DELAY);
  const maxDelay = clamp(config.maxDelay ?? 1000, minDelay, LONGEST_DELAY);
  const conceal = config.conceal ?? 80;
  return {
    packetMs,
    minDelay,
    maxDelay,
    reorder: config.reorder ?? (packetMs <= FRAME_MS ? 10 : 0),
    conceal,
    frames: windowSize(maxDelay),
    concealed: Math.floor(conceal / FRAME_MS),
  };
}

/**
 * Twice the longest delay and more than a second of catching up after an
 * outage, in frames, as a power of two.
 */
function windowSize(maxDelay: number): number {
  const frames = 2 * Math.floor(maxDelay / FRAME_MS) + 64;
  return 2 ** Math.ceil(Math.log2(frames));
}

/** v, or the nearest value from low to high. */
export function clamp(v: number, low: number, high: number): number {
  return Math.min(Math.max(v, low), high);
}
