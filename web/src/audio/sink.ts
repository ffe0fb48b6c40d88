import { concat } from "./concat";
import { AudioError } from "./errors";
import { Gauge } from "./gauge";
import { OUTPUT_PROCESSOR, type OutputReport, type OutputSetup } from "./messages";
import type { OutputCounts } from "./output";
import { Ring } from "./ring";

/** Samples that wait at most between mix and sound card: 0.68 s at 48 kHz, a power of two. */
const RING = 32768;

/** How a Sink is opened. */
export interface SinkOptions {
  workletUrl: string | URL;
  channels: 1 | 2;
  record: boolean;
  /** Told when the sound card has taken so much that more is to be written. */
  onhungry: () => void;
  /** Told when the worklet broke. */
  onbroken: () => void;
}

/**
 * The way from the mix to one AudioContext's sound card: a worklet and the ring
 * that feeds it, through shared memory if the page is cross-origin isolated.
 */
export class Sink {
  readonly context: AudioContext;
  readonly shared: boolean;
  /** With record: all that went out. */
  readonly recorded: Float32Array[] = [];

  private readonly node: AudioWorkletNode;
  private readonly ring: Ring | null; // shared with the worklet, as is the gauge
  private readonly gauge: Gauge | null;
  private reported: OutputCounts = { played: 0, missed: 0, underruns: 0, sounded: -1 };
  private readonly channels: number;
  private written = 0; // samples

  private constructor(context: AudioContext, options: SinkOptions) {
    const { channels, record } = options;
    this.context = context;
    this.channels = channels;
    this.shared = globalThis.crossOriginIsolated === true && "SharedArrayBuffer" in globalThis;
    const memory = this.shared ? { ring: new SharedArrayBuffer(Ring.bytes(RING, channels)), gauge: new SharedArrayBuffer(Gauge.BYTES) } : null;
    this.ring = memory && new Ring(memory.ring, channels);
    this.gauge = memory && new Gauge(memory.gauge);
    if (this.gauge) this.gauge.low = 1; // to begin with: as soon as it runs
    const setup: OutputSetup = { channels, memory, size: RING, record };
    this.node = new AudioWorkletNode(context, OUTPUT_PROCESSOR, {
      numberOfInputs: 0,
      outputChannelCount: [channels],
      processorOptions: setup,
    });
    this.node.onprocessorerror = options.onbroken;
    this.node.port.onmessage = ({ data }: MessageEvent<OutputReport>) => {
      if (data.counts) this.reported = data.counts;
      if (data.recorded) this.recorded.push(data.recorded);
      if (data.hungry) options.onhungry();
    };
    this.node.connect(context.destination);
  }

  /** Loads the worklet; the context may still be locked. Rejects with an AudioError. */
  static async open(options: SinkOptions): Promise<Sink> {
    if (!("AudioWorkletNode" in globalThis)) throw new AudioError("cannot-play", "this browser has no AudioWorklet");
    const context = newContext(CARD, RENDERED);
    // At once, while this still is the gesture that some browsers ask for.
    void context.resume().catch(() => undefined);
    try {
      await context.audioWorklet.addModule(options.workletUrl);
      return new Sink(context, options);
    } catch (cause) {
      void context.close();
      throw new AudioError("cannot-play", "the audio worklet did not load", { cause });
    }
  }

  /** What has gone out; without shared memory as of the last report. */
  get counts(): OutputCounts {
    return this.gauge?.read() ?? this.reported;
  }

  /** Samples (of each channel) that wait to be put out. */
  get queued(): number {
    return this.ring?.queued ?? this.written - this.reported.played;
  }

  /** Adds blocks, interleaved, and says at how few samples left it is to be hungry again. */
  write(blocks: readonly Float32Array[], low: number): void {
    for (const block of blocks) this.written += block.length / this.channels;
    if (this.ring && this.gauge) {
      for (const block of blocks) this.ring.write(block);
      this.gauge.low = low;
    } else {
      const pcm = concat(blocks);
      this.node.port.postMessage(pcm, [pcm.buffer]);
    }
  }

  /** Lets the sound card go. */
  async close(): Promise<void> {
    this.node.port.onmessage = null;
    this.node.disconnect();
    if (this.context.state !== "closed") await this.context.close();
  }
}

/**
 * How long the sound card's own buffer is to be, in seconds: three times what browsers
 * take for interactive sound, for a third of the wake-ups; a sixth of what is played
 * behind.
 */
const CARD = 0.032;

/** How many samples the worklet is to put out at a time, where a browser lets one choose (Web Audio API 1.1, renderSizeHint). */
const RENDERED = 1536;

/** Of a microphone. */
const CAPTURED = 0.02;

/** Where TypeScript's libraries lag. */
type ContextOptions = AudioContextOptions & { renderSizeHint?: number };

/** A context at 48 kHz, or at whatever rate the browser insists on. */
export function newContext(latencyHint = CAPTURED, renderSizeHint?: number): AudioContext {
  const rate = { latencyHint, sampleRate: 48000 };
  const choices: ContextOptions[] = renderSizeHint === undefined ? [rate] : [{ ...rate, renderSizeHint }, rate];
  for (const options of choices) {
    try {
      return new AudioContext(options);
    } catch {
      // not of these
    }
  }
  return new AudioContext({ latencyHint });
}
