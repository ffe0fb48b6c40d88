import type { Playback, PlayerOptions, PlayerState, PlayerStats, Voice, VoiceOptions } from "./api";
import { concat } from "./concat";
import { openDecoder } from "./decoders";
import { AudioError } from "./errors";
import { Gestures } from "./gestures";
import { LEAST_LEAD, LEAST_TALKING } from "./lead";
import type { Level } from "./level";
import { Playout } from "./playout";
import { Pump } from "./pump";
import { Sink } from "./sink";
import type { Speaker } from "./speaker";
import { stateOf } from "./state";

/** ms that a context is given to run before it counts as locked. */
const UNLOCKED = 250;

/** ms between two looks at whether the sound card still takes samples. */
const WATCH = 1000;

/**
 * Plays a room: it mixes all voices ahead of the sound card, drives the mix by
 * what the card takes, and brings sound back after locks, calls and sleep. It is
 * a shell: Playout mixes, Pump decides when, Buffer what.
 */
export class Player implements Playback {
  state: PlayerState = "idle";
  error: Error | null = null;

  private readonly options: PlayerOptions;
  private readonly channels: 1 | 2;
  private readonly playout: Playout;
  private readonly gestures: Gestures;
  private readonly decoding = new Set<Speaker>(); // have a decoder, or one is being made
  private sink: Sink | null = null;
  private pump: Pump | null = null;
  private hungry = false; // the sound card has asked for samples once
  private talking = false;
  private ran = false; // the context was running once
  private firstSoundAt = 0;
  private watch: ReturnType<typeof setInterval> | undefined;
  private output = ""; // the device asked for

  constructor(options: PlayerOptions) {
    this.options = options;
    this.channels = options.channels ?? 1;
    this.playout = new Playout(options.buffer, this.channels);
    const page = typeof document === "undefined" ? null : document;
    this.gestures = new Gestures(options.gestures === undefined ? page : options.gestures, () => void this.resume());
  }

  async start(): Promise<void> {
    if (this.state !== "idle") throw new Error(`the player is ${this.state}`);
    try {
      this.sink = await Sink.open({
        workletUrl: this.options.workletUrl,
        channels: this.channels,
        record: this.options.record ?? false,
        onhungry: () => {
          this.hungry = true;
          this.feed();
        },
        onbroken: () => this.fail(new AudioError("cannot-play", "the audio worklet broke")),
      });
    } catch (error) {
      this.fail(error as Error);
      throw error;
    }
    if (this.closed) return this.sink.close();
    const { context } = this.sink;
    this.pump = new Pump(this.playout, this.channels, context.sampleRate);
    this.interactive = this.talking;
    context.onstatechange = this.look;
    this.watch = setInterval(() => this.pump?.idle(performance.now()), WATCH);
    globalThis.document?.addEventListener("visibilitychange", this.onvisible);
    globalThis.navigator?.mediaDevices?.addEventListener("devicechange", this.ondevices);
    for (const speaker of this.playout.speakers) void this.decode(speaker);
    await this.resume();
    this.look();
  }

  async resume(): Promise<boolean> {
    const context = this.sink?.context;
    if (!context || this.closed) return false;
    // Without a gesture the promise may stay pending for ever.
    const resumed = context.resume().catch(() => undefined);
    await Promise.race([resumed, new Promise((over) => setTimeout(over, UNLOCKED))]);
    this.look();
    return this.state === "playing";
  }

  add(name: string, options: VoiceOptions = {}): Voice {
    const speaker = this.playout.add(name, options);
    if (this.sink) void this.decode(speaker);
    return speaker;
  }

  remove(name: string): void {
    this.playout.remove(name);
  }

  get voices(): readonly Voice[] {
    return this.playout.speakers.filter((s) => !s.leaving);
  }

  async setOutput(deviceId: string): Promise<void> {
    const context = this.sink?.context as (AudioContext & { setSinkId?(id: string): Promise<void> }) | undefined;
    if (!context?.setSinkId) throw new AudioError("cannot-play", "this browser plays through its own choice of device");
    try {
      await context.setSinkId(deviceId);
    } catch (cause) {
      throw new AudioError("no-device", "there is no such loudspeaker", { cause });
    }
    this.output = deviceId;
    await this.resume();
  }

  recording(): Float32Array {
    return concat(this.sink?.recorded ?? []);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.enter("closed");
    await this.release();
  }

  get stats(): PlayerStats {
    const { sink, pump } = this;
    return {
      played: sink?.counts.played ?? 0,
      missed: sink?.counts.missed ?? 0,
      underruns: sink?.counts.underruns ?? 0,
      queued: sink?.queued ?? 0,
      lead: pump?.lead.value ?? LEAST_LEAD,
      rate: sink?.context.sampleRate ?? 0,
      shared: sink?.shared ?? false,
      firstSoundAt: this.firstSoundAt,
      skips: pump?.skips ?? 0,
    };
  }

  get level(): Level {
    return this.playout.level;
  }

  get volume(): number {
    return this.playout.volume;
  }

  set volume(gain: number) {
    this.playout.volume = gain;
  }

  get muted(): boolean {
    return this.playout.muted;
  }

  set muted(on: boolean) {
    this.playout.muted = on;
  }

  get interactive(): boolean {
    return this.talking;
  }

  set interactive(on: boolean) {
    this.talking = on;
    this.pump?.lead.atLeast(on ? LEAST_TALKING : LEAST_LEAD);
  }

  refill(): void {
    // Without shared memory it is not known how much waits, only how much did.
    if (this.hungry && this.sink?.shared) this.feed();
  }

  private get closed(): boolean {
    return this.state === "closed" || this.state === "failed";
  }

  /** Brings the ring up to the lead. */
  private feed(): void {
    const { sink, pump } = this;
    if (!sink || !pump || this.closed) return;
    const now = performance.now();
    const { sounded, missed } = sink.counts;
    if (this.firstSoundAt === 0 && sounded >= 0) this.firstSoundAt = now;
    const blocks = pump.run(sink.queued, missed, now);
    if (blocks.length > 0) sink.write(blocks, pump.low);
  }

  /** Takes over what the context says of itself. */
  private readonly look = (): void => {
    if (!this.sink || this.closed) return;
    const state = stateOf(this.sink.context.state, this.ran);
    this.ran ||= state === "playing";
    if (state === "closed") this.fail(new AudioError("cannot-play", "the browser closed the sound card"));
    else this.enter(state);
  };

  private readonly onvisible = (): void => {
    if (document.visibilityState === "visible" && this.state === "interrupted") void this.resume();
  };

  /** A device came or went: if it is the one asked for, the default one takes over. */
  private readonly ondevices = async (): Promise<void> => {
    if (this.output) {
      const devices = await navigator.mediaDevices.enumerateDevices();
      const there = devices.some((d) => d.kind === "audiooutput" && d.deviceId === this.output);
      if (!there) await this.setOutput("").catch(() => undefined);
    }
    if (this.state === "interrupted") await this.resume();
  };

  /** Gives a speaker its decoder. */
  private async decode(speaker: Speaker): Promise<void> {
    if (this.decoding.has(speaker)) return;
    this.decoding.add(speaker);
    try {
      const decoder = await openDecoder(this.options.decoder ?? "auto", speaker.channels);
      if (this.closed || !this.playout.speakers.includes(speaker)) decoder.close();
      else speaker.use(decoder);
    } catch (error) {
      if (!this.closed) this.fail(error as Error);
    } finally {
      this.decoding.delete(speaker);
    }
  }

  private enter(state: PlayerState): void {
    if (state === this.state) return;
    this.state = state;
    this.gestures.arm(state === "locked" || state === "interrupted");
    this.options.onstate?.(state);
  }

  private fail(error: Error): void {
    if (this.closed) return;
    this.error = error;
    this.enter("failed");
    void this.release();
  }

  private async release(): Promise<void> {
    clearInterval(this.watch);
    globalThis.document?.removeEventListener("visibilitychange", this.onvisible);
    globalThis.navigator?.mediaDevices?.removeEventListener("devicechange", this.ondevices);
    this.playout.close();
    await this.sink?.close();
  }
}
