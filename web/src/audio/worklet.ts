// The one script that runs on the audio thread: the page loads it with
// audioWorklet.addModule. It is a shell; Output and Ring decide.
import {
  INPUT_PROCESSOR, INPUT_TICK, OUTPUT_PROCESSOR, type OutputReport, type OutputSetup, TICK,
} from "./messages";
import { Output } from "./output";
import { Ring } from "./ring";

// The audio worklet's global scope (Web Audio API §1.32), which TypeScript's
// libraries do not describe.
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(
  name: string,
  processor: new (options: AudioWorkletNodeOptions) => AudioWorkletProcessor,
): void;

/** Puts the ring out and reports. */
class OutputProcessor extends AudioWorkletProcessor {
  private readonly ring: Ring;
  private readonly output: Output;
  private readonly recorded: Float32Array[] | null;
  private quanta = 0;

  constructor(options: AudioWorkletNodeOptions) {
    super();
    const { channels, memory, size, record } = options.processorOptions as OutputSetup;
    this.ring = new Ring(memory ?? new ArrayBuffer(Ring.bytes(size, channels)), channels);
    this.output = new Output(this.ring, channels);
    this.recorded = record ? [] : null;
    this.port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
      this.ring.write(data);
    };
  }

  process(_inputs: Float32Array[][], [planes]: Float32Array[][]): boolean {
    if (!planes) return true;
    this.output.fill(planes);
    this.recorded?.push(interleaved(planes));
    if (++this.quanta % TICK === 0) this.report();
    return true;
  }

  private report(): void {
    const report: OutputReport = { ...this.output.counts, queued: this.ring.queued };
    if (this.recorded) report.recorded = concat(this.recorded.splice(0));
    this.port.postMessage(report, report.recorded ? [report.recorded.buffer] : []);
  }
}

/** Hands what is captured to the page, mixed down to one channel. */
class InputProcessor extends AudioWorkletProcessor {
  private blocks: Float32Array[] = [];

  process([planes]: Float32Array[][]): boolean {
    if (!planes?.[0]) return true; // nothing is connected
    this.blocks.push(mono(planes));
    if (this.blocks.length < INPUT_TICK) return true;
    const block = concat(this.blocks.splice(0));
    this.port.postMessage(block, [block.buffer]);
    return true;
  }
}

function mono(planes: Float32Array[]): Float32Array {
  const out = planes[0]!.slice();
  for (const plane of planes.slice(1)) for (let i = 0; i < out.length; i++) out[i]! += plane[i]!;
  if (planes.length > 1) for (let i = 0; i < out.length; i++) out[i]! /= planes.length;
  return out;
}

function interleaved(planes: Float32Array[]): Float32Array {
  const out = new Float32Array(planes[0]!.length * planes.length);
  planes.forEach((plane, p) => plane.forEach((v, i) => {
    out[i * planes.length + p] = v;
  }));
  return out;
}

function concat(parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

registerProcessor(OUTPUT_PROCESSOR, OutputProcessor);
registerProcessor(INPUT_PROCESSOR, InputProcessor);
