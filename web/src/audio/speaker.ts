import type { Voice, VoiceOptions } from "./api";
import { Buffer } from "./buffer";
import { clamp, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, withDefaults } from "./config";
import { Concealer } from "./conceal";
import type { Decoder } from "./decoder";
import { type Level, measure, QUIETEST } from "./level";
import { Fader } from "./mixer";
import { Pace } from "./pace";
import { Resampler } from "./resampler";
import type { Slot } from "./slot";

/**
 * How long before it sounds, in ms, a frame is decoded at the latest: blocks are
 * made whole, and the resampler looks a third of a millisecond further. A frame
 * sounds that much later than it is due, so that it may come until then.
 */
const AHEAD = FRAME_MS + 1;

/** For how many blocks the loudest one's level is shown: 240 ms. */
const LEVEL_HELD = 12;

/** A slot on its way through the decoder. */
interface Job {
  slot: Slot;
  /** How many samples of it are to sound. */
  samples: number;
  /** Answered by the decoder; null if the packet did not decode. */
  pcm?: Float32Array | null;
}

/** One voice of a Playout: its buffer, its decoder, and what brings them to the mix's clock. */
export class Speaker implements Voice {
  readonly name: string;
  readonly buffer: Buffer;
  readonly channels: 1 | 2;
  level: Level = { rms: QUIETEST, peak: QUIETEST };
  /** Packets that the decoder refused. */
  undecodable = 0;
  /** Packets that an asynchronous decoder answered too late: concealed, as if refused. */
  behind = 0;
  volume = 1;
  muted = false;
  leaving = false;

  private readonly conceal: Concealer;
  private readonly resampler: Resampler;
  private readonly pace = new Pace();
  private readonly fader = new Fader();
  private readonly frame: Float32Array; // one frame, concealed
  private readonly block: Float32Array; // one block of output
  private decoder: Decoder | null = null;
  private jobs: Job[] = [];
  private held = 0; // blocks since the one whose level is shown

  constructor(name: string, options: VoiceOptions = {}) {
    this.name = name;
    this.channels = options.channels ?? 1;
    this.buffer = new Buffer(options);
    this.conceal = new Concealer(this.channels, withDefaults(options).concealed);
    this.resampler = new Resampler(this.channels);
    this.frame = new Float32Array(FRAME_SAMPLES * this.channels);
    this.block = new Float32Array(FRAME_SAMPLES * this.channels);
  }

  /** Hands the speaker its decoder; until then it is silent and nothing is taken from the buffer. */
  use(decoder: Decoder): void {
    this.decoder = decoder;
    this.conceal.decoder = decoder;
  }

  /** Makes the block that begins to sound at now (ms). It is good until the next call. */
  render(now: number): Float32Array {
    if (this.decoder) {
      const ratio = this.pace.ratio(this.buffer.skew);
      while (!this.resampler.ready(FRAME_SAMPLES, ratio)) this.feed(this.nextJob(this.decoder, now));
      this.resampler.read(this.block, ratio);
    }
    this.fader.set(this.muted || this.leaving ? 0 : clamp(this.volume, 0, 4));
    this.hold(measure(this.block)); // before the fader: who speaks is seen, muted or not
    this.fader.apply(this.block, this.channels);
    return this.block;
  }

  /** Shows a level for a while, so that a display that looks four times a second sees each syllable. */
  private hold(level: Level): void {
    if (level.rms < this.level.rms && ++this.held < LEVEL_HELD) return;
    this.level = level;
    this.held = 0;
  }

  /** Lets time go by unheard until now. */
  skip(now: number): void {
    this.buffer.skip(now);
  }

  /** Lets the decoder go. */
  close(): void {
    this.decoder?.close();
    this.decoder = null;
  }

  /** The job behind what the resampler has queued; those behind it are with the decoder already. */
  private nextJob(decoder: Decoder, now: number): Job {
    while (this.jobs.length <= decoder.ahead) {
      const waiting = this.jobs.reduce((sum, job) => sum + job.samples, this.resampler.queued);
      const late = AHEAD + decoder.ahead * FRAME_MS;
      this.jobs.push(this.begin(decoder, this.buffer.pop(now + (waiting / SAMPLE_RATE) * 1000 - late)));
    }
    return this.jobs.shift()!;
  }

  private begin(decoder: Decoder, slot: Slot): Job {
    const job: Job = { slot, samples: FRAME_SAMPLES };
    if (slot.kind === "play") {
      decoder.decode(slot.packet, (pcm) => {
        job.pcm = pcm;
      });
      this.pace.played(slot.lag);
    } else if (slot.kind === "lost") {
      this.pace.played(slot.lag);
    } else if (slot.kind !== "starved") {
      this.pace.rested();
    }
    if (slot.kind === "silence" && slot.wait < FRAME_MS) {
      job.samples = Math.max(Math.floor((slot.wait * SAMPLE_RATE) / 1000), 1);
    }
    return job;
  }

  /** Turns a job into samples of the resampler's queue. */
  private feed(job: Job): void {
    const { slot, pcm } = job;
    let out = this.frame;
    if (slot.kind === "play" && pcm) {
      out = pcm;
      this.conceal.play(pcm);
    } else if (slot.kind === "play") {
      if (pcm === undefined) this.behind++;
      else this.undecodable++;
      this.conceal.undecodable(out);
    } else if (slot.kind === "lost" || slot.kind === "starved") {
      this.conceal.lost(out, slot.run);
    } else {
      this.conceal.silence(out, job.samples);
    }
    this.resampler.write(out, job.samples);
  }
}
