import type { VoiceOptions } from "./api";
import { type BufferConfig, clamp, FRAME_SAMPLES } from "./config";
import { type Level, measure, QUIETEST } from "./level";
import { Mixer } from "./mixer";
import { Speaker } from "./speaker";

/** Mixes all speakers of a room into blocks of 20 ms. It uses no Web API and reads no clock. */
export class Playout {
  /** The speakers, in the order they came, those that are fading out included. */
  speakers: Speaker[] = [];
  volume = 1;
  muted = false;

  private readonly config: BufferConfig;
  private readonly mixer: Mixer;
  private block: Float32Array | undefined;

  /** config tunes each speaker's buffer; channels are those of the mix. */
  constructor(config: BufferConfig = {}, channels: 1 | 2 = 1) {
    this.config = config;
    this.mixer = new Mixer(channels, FRAME_SAMPLES);
  }

  /** Lets a speaker in, at any time. A name that was removed may come back at once. */
  add(name: string, options: VoiceOptions = {}): Speaker {
    if (this.speaker(name)) throw new Error(`${name} is already playing`);
    const speaker = new Speaker(name, { ...this.config, ...options });
    this.speakers.push(speaker);
    return speaker;
  }

  /** Lets a speaker go: it fades out over the next block. */
  remove(name: string): void {
    const speaker = this.speaker(name);
    if (speaker) speaker.leaving = true;
  }

  /** The one of that name, unless it is leaving. */
  speaker(name: string): Speaker | undefined {
    return this.speakers.find((s) => s.name === name && !s.leaving);
  }

  /**
   * Makes the next 20 ms of everyone, interleaved; now (ms) is when they are asked
   * for: all is later by what lies between here and the ear. The block is good
   * until the next call.
   */
  mix(now: number): Float32Array {
    this.mixer.begin();
    for (const s of this.speakers) this.mixer.add(s.render(now), s.channels);
    this.mixer.fader.set(this.muted ? 0 : clamp(this.volume, 0, 4));
    this.sweep();
    return (this.block = this.mixer.end());
  }

  /** Lets time go by unheard until now. */
  skip(now: number): void {
    for (const s of this.speakers) s.skip(now);
    this.sweep();
  }

  /** How loud the last block is. */
  get level(): Level {
    return this.block ? measure(this.block) : { rms: QUIETEST, peak: QUIETEST };
  }

  /** Lets every speaker go at once. */
  close(): void {
    for (const s of this.speakers) s.close();
    this.speakers = [];
  }

  private sweep(): void {
    for (const s of this.speakers) if (s.leaving) s.close();
    this.speakers = this.speakers.filter((s) => !s.leaving);
  }
}
