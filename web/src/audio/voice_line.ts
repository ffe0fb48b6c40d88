import type { CapturedFrame } from "./api";
import { FRAME_SAMPLES } from "./config";
import { Gate } from "./gate";
import { Hush } from "./hush";
import { type Level, measure, QUIETEST } from "./level";

/** What a VoiceLine encodes with: an Encoder, or a test's. */
export interface PacketMaker {
  encode(frame: Float32Array<ArrayBuffer>): void;
}

/**
 * From captured frames to numbered packets. Every frame is encoded, silent or
 * not, so that the encoder's packets can be told apart by counting; those of
 * silence, and those captured while muted, are dropped behind the encoder.
 */
export class VoiceLine {
  muted = false;
  level: Level = { rms: QUIETEST, peak: QUIETEST };

  private readonly dtx: boolean;
  private readonly gate: Gate;
  private readonly hush = new Hush();
  private readonly encoding: { silent: boolean; rms: number }[] = []; // of each frame in the encoder

  constructor(dtx: boolean, startUs: number) {
    this.dtx = dtx;
    this.gate = new Gate(startUs);
  }

  /** What the next packet to go out would be, if none waited in the encoder. */
  get next(): { sequence: number; timestampUs: number } {
    return this.gate.next;
  }

  /** Takes the next 20 ms and hands them to the encoder. */
  frame(pcm: Float32Array<ArrayBuffer>, encoder: PacketMaker): void {
    this.level = measure(pcm);
    const quiet = this.hush.silent(this.level);
    this.encoding.push({ silent: this.muted || (this.dtx && quiet), rms: this.muted ? QUIETEST : this.level.rms });
    encoder.encode(this.muted ? new Float32Array(FRAME_SAMPLES) : pcm);
  }

  /** Takes the encoder's next packet; null if it is not to be sent. */
  packet(packet: Uint8Array): CapturedFrame | null {
    const { silent, rms } = this.encoding.shift() ?? { silent: false, rms: QUIETEST };
    return this.gate.pass(packet, silent, rms);
  }
}
