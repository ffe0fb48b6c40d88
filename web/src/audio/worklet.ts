// The one script that runs on the audio thread: the page loads it with
// audioWorklet.addModule. It is a shell; Output and Ring decide.
import { concat } from "./concat";
import { Caller, Gauge } from "./gauge";
import {
  INPUT_PROCESSOR, INPUT_TICK, OUTPUT_PROCESSOR, type OutputBlocks, type OutputReport, type OutputSetup, REPORT_EVERY,
} from "./messages";
import { Output } from "./output";
import { Ring } from "./ring";

// The audio worklet's global scope (Web Audio API §1.32), which TypeScript's
// libraries do not describe.
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare const sampleRate: number;
declare function registerProcessor(
  name: string,
  processor: new (options: AudioWorkletNodeOptions) => AudioWorkletProcessor,
): void;

/** Puts the ring out, in blocks of whatever size the browser renders, and reports. */
class OutputProcessor extends AudioWorkletProcessor {
  private readonly ring: Ring;
  private readonly output: Output;
  private readonly gauge: Gauge | null;
  private readonly caller = new Caller();
  private readonly recorded: Float32Array[] | null;
  private unreported = Number.POSITIVE_INFINITY; // samples: the first report goes at once

  constructor(options: AudioWorkletNodeOptions) {
    super();
    const { channels, memory, size, record } = options.processorOptions as OutputSetup;
    this.ring = new Ring(memory?.ring ?? new ArrayBuffer(Ring.bytes(size, channels)), channels);
    this.gauge = memory && new Gauge(memory.gauge);
    this.output = new Output(this.ring, channels);
    this.recorded = record ? [] : null;
    this.port.onmessage = ({ data }: MessageEvent<OutputBlocks>) => {
      this.ring.write(data);
    };
  }

  process(_inputs: Float32Array[][], [planes]: Float32Array[][]): boolean {
    if (!planes) return true;
    this.output.fill(planes);
    this.recorded?.push(interleaved(planes));
    this.unreported += planes[0]?.length ?? 0;
    if (this.gauge) this.tell(this.gauge);
    else if (this.dueToReport()) this.report({ hungry: true, counts: { ...this.output.counts } });
    return true;
  }

  /** What is counted lies where the page finds it; it is woken only if it has let the ring run low. */
  private tell(gauge: Gauge): void {
    gauge.publish(this.output.counts);
    if (this.caller.due(this.ring.queued, gauge.low)) this.report({ hungry: true });
    else if (this.recorded && this.dueToReport()) this.report({ hungry: false });
  }

  private dueToReport(): boolean {
    return this.unreported >= REPORT_EVERY * sampleRate;
  }

  private report(report: OutputReport): void {
    this.unreported = 0;
    if (this.recorded) report.recorded = concat(this.recorded.splice(0));
    this.port.postMessage(report, report.recorded ? [report.recorded.buffer] : []);
  }
}

/** Hands what is captured to the page, mixed down to one channel. */
class InputProcessor extends AudioWorkletProcessor {
  private blocks: Float32Array[] = [];
  private waiting = 0; // samples

  process([planes]: Float32Array[][]): boolean {
    if (!planes?.[0]) return true; // nothing is connected
    this.blocks.push(mono(planes));
    this.waiting += planes[0].length;
    if (this.waiting < INPUT_TICK) return true;
    this.waiting = 0;
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

registerProcessor(OUTPUT_PROCESSOR, OutputProcessor);
registerProcessor(INPUT_PROCESSOR, InputProcessor);
