import { type Level, LevelMeter, QUIETEST, type Voice } from "../audio";
import type { SpeakerView } from "./types";

/** What counts as the bottom of the scale, and as speech, in dBFS. */
const FLOOR = -60;
const SPEECH = -45;
/** How long somebody still speaks after the last syllable, in ms. */
const HOLD = 400;

/** How loud a level in dBFS is for the eye: 0 to 1. */
export function loudness(db: number): number {
  return Math.min(Math.max(1 - db / FLOOR, 0), 1);
}

/** What a page sees of one speaker, and what it has set. */
export class Presence {
  private wishedVolume = 1;
  private wishedMuted = false;
  private voice: Voice | undefined;
  private readonly meter = new LevelMeter();
  private spokeAt = -Infinity;

  constructor(readonly name: string) {}

  get muted(): boolean {
    return this.wishedMuted;
  }

  /** Takes a voice, or none: what was set before holds for it. */
  use(voice: Voice | undefined): void {
    this.voice = voice;
    this.apply();
  }

  mute(muted: boolean): void {
    this.wishedMuted = muted;
    this.apply();
  }

  setVolume(volume: number): void {
    this.wishedVolume = Number.isFinite(volume) ? Math.min(Math.max(volume, 0), 2) : 1;
    this.apply();
  }

  private apply(): void {
    if (!this.voice) return;
    this.voice.volume = this.wishedVolume;
    this.voice.muted = this.wishedMuted;
  }

  /** What there is to see at `now`, in ms. */
  view(now: number): SpeakerView {
    const level: Level = this.voice?.level ?? { rms: QUIETEST, peak: QUIETEST };
    if (level.rms > SPEECH) this.spokeAt = now;
    return {
      name: this.name,
      level: loudness(this.meter.show(level, now)),
      speaking: now - this.spokeAt < HOLD,
      muted: this.wishedMuted,
      volume: this.wishedVolume,
    };
  }
}
