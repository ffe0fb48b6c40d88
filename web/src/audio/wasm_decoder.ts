import type { OpusDecoder } from "opus-decoder";
import { FRAME_SAMPLES } from "./config";
import type { Decoder } from "./decoder";
import { oneFrame } from "./packet";

const NOTHING = new Uint8Array(0);

/** The shortest WebAssembly module: magic and version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/**
 * libopus as WebAssembly, on the caller's thread: a frame takes a tenth of a
 * millisecond or two, and losses are concealed by libopus itself (RFC 6716 §4.4).
 *
 * The module always asks libopus for 120 ms of a guess at once, so those are kept
 * and given out frame by frame. The next packet's decoding begins from a state 120
 * ms on, whatever was lost; the concealer fades over the seam.
 */
export class WasmDecoder implements Decoder {
  readonly ahead = 0;

  private readonly opus: OpusDecoder;
  private readonly channels: number;
  private guess: Float32Array | null = null; // made since the last packet
  private at = 0; // how much of it was given out, in values

  private constructor(opus: OpusDecoder, channels: number) {
    this.opus = opus;
    this.channels = channels;
  }

  /** Loads and compiles the module. It rejects where WebAssembly is missing or forbidden. */
  static async open(channels: 1 | 2): Promise<WasmDecoder> {
    // Where a page's policy forbids it, this throws; opus-decoder would wait for ever.
    new WebAssembly.Module(EMPTY_MODULE);
    const { OpusDecoder } = await import("opus-decoder");
    const opus = new OpusDecoder({ channels });
    await opus.ready;
    return new WasmDecoder(opus, channels);
  }

  decode(packet: Uint8Array, done: (pcm: Float32Array | null) => void): void {
    this.guess = null;
    const pcm = oneFrame(packet) ? this.run(packet) : null;
    done(pcm && pcm.length === FRAME_SAMPLES * this.channels ? pcm : null);
  }

  conceal(pcm: Float32Array, overlap: Float32Array): boolean {
    if (!this.guess || this.at + pcm.length + overlap.length > this.guess.length) {
      this.guess = this.run(NOTHING);
      this.at = 0;
    }
    const end = this.at + pcm.length;
    if (!this.guess || end + overlap.length > this.guess.length) return false;
    pcm.set(this.guess.subarray(this.at, end));
    overlap.set(this.guess.subarray(end, end + overlap.length));
    this.at = end;
    return true;
  }

  close(): void {
    this.opus.free();
  }

  /** What libopus makes of a packet, interleaved; null if nothing. */
  private run(packet: Uint8Array): Float32Array | null {
    try {
      const { channelData, samplesDecoded } = this.opus.decodeFrame(packet);
      return samplesDecoded > 0 ? interleave(channelData) : null;
    } catch {
      return null;
    }
  }
}

/** Planes of equal length, sample by sample. One plane is returned as it is. */
export function interleave(planes: Float32Array[]): Float32Array {
  const [first] = planes;
  if (!first || planes.length === 1) return first ?? new Float32Array(0);
  const out = new Float32Array(first.length * planes.length);
  planes.forEach((plane, ch) => {
    for (let i = 0; i < plane.length; i++) out[i * planes.length + ch] = plane[i]!;
  });
  return out;
}
