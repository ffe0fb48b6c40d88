import { Emitter } from "./emitter";
import { soundFailure } from "./failure";
import { Hearing, type Telling } from "./hearing";
import type { Host } from "./host";
import { nameFault } from "./names";
import { Presence } from "./speakers";
import { listenerState } from "./state";
import {
  Failure, type ListenOptions, type Listener, type ListenerEvents, type ListenerState, type ListenerStats, type RoomState,
  type SpeakerView,
} from "./types";

/** What a page has of a room: settings that outlive a stop, and a {@link Hearing} in between. */
export class RoomListener implements Listener {
  private readonly events = new Emitter<ListenerEvents>();
  private readonly presences = new Map<string, Presence>();
  private hearing: Hearing | undefined;
  private shown: ListenerState = "idle";
  private why: Failure | undefined;
  private counted: number | undefined;
  private stated: RoomState | undefined;
  private wantedVolume = 1;
  private wantedMuted = false;
  private wantedInteractive = false;
  private settle: { resolve: () => void; reject: (why: Failure) => void } | undefined;
  private ended: { stats: ListenerStats; recording: Float32Array } | undefined;
  private told = "[]"; // of the speakers, without their levels

  constructor(
    private readonly options: ListenOptions,
    private readonly host: Host,
  ) {
    const fault = nameFault(options.room);
    if (fault) throw new TypeError(`room: ${fault}`);
  }

  get state(): ListenerState {
    return this.shown;
  }
  get failure(): Failure | undefined {
    return this.why;
  }
  get retryAtMs(): number | undefined {
    return this.shown === "queued" ? this.hearing?.retryAt : undefined;
  }
  get listeners(): number | undefined {
    return this.counted;
  }
  get room(): RoomState | undefined {
    return this.stated;
  }
  get lobbies(): readonly string[] {
    return this.hearing?.lobbies ?? [];
  }
  get speakers(): readonly SpeakerView[] {
    const now = this.host.now();
    return this.hearing?.live().map((name) => this.presence(name).view(now)) ?? [];
  }
  get volume(): number {
    return this.wantedVolume;
  }
  set volume(gain: number) {
    this.wantedVolume = Number.isFinite(gain) ? Math.min(Math.max(gain, 0), 1) : 1;
    if (this.hearing) this.hearing.sound.volume = this.wantedVolume;
  }
  get muted(): boolean {
    return this.wantedMuted;
  }
  set muted(on: boolean) {
    this.wantedMuted = on;
    if (this.hearing) this.hearing.sound.muted = on;
  }
  get interactive(): boolean {
    return this.wantedInteractive;
  }
  set interactive(on: boolean) {
    this.wantedInteractive = on;
    if (this.hearing) this.hearing.interactive = on;
  }

  on<E extends keyof ListenerEvents>(event: E, handler: (value: ListenerEvents[E]) => void): () => void {
    return this.events.on(event, handler);
  }

  muteSpeaker(name: string, muted: boolean): void {
    this.presence(name).mute(muted);
    this.tellSpeakers();
  }

  setSpeakerVolume(name: string, volume: number): void {
    this.presence(name).setVolume(volume);
    this.tellSpeakers();
  }

  start(): Promise<void> {
    if (this.hearing) return Promise.reject(new Error("the listener has started already"));
    this.why = undefined;
    this.ended = undefined;
    const connected = new Promise<void>((resolve, reject) => (this.settle = { resolve, reject }));
    try {
      const hearing = new Hearing(this.options, this.host, lobbyOf(this.options.lobby, this.host), this.telling());
      hearing.sound.volume = this.wantedVolume;
      hearing.sound.muted = this.wantedMuted;
      hearing.interactive = this.wantedInteractive;
      this.hearing = hearing;
      hearing.start();
    } catch (error) {
      this.failed(soundFailure(error));
    }
    this.changed();
    return connected;
  }

  async resume(): Promise<void> {
    await this.hearing?.sound.resume();
    this.changed();
  }

  async stop(): Promise<void> {
    this.settle?.reject(new Failure("unreachable", "stopped"));
    this.settle = undefined;
    this.why = undefined;
    await this.end();
  }

  stats(): ListenerStats {
    return this.hearing?.stats() ?? this.ended?.stats ?? nothing(this.options.room);
  }

  recorded(): Promise<Float32Array> {
    return Promise.resolve(this.hearing?.sound.recording() ?? this.ended?.recording ?? new Float32Array(0));
  }

  /** Ends the hearing and keeps what it has counted. */
  private async end(): Promise<void> {
    const { hearing } = this;
    if (!hearing) return this.changed();
    this.ended = { stats: hearing.stats(), recording: hearing.sound.recording() };
    this.hearing = undefined;
    for (const presence of this.presences.values()) presence.use(undefined);
    this.tellSpeakers();
    await hearing.end();
  }

  private telling(): Telling {
    return {
      changed: () => this.changed(),
      speakers: () => this.tellSpeakers(),
      hop: (hop) => this.events.emit("hop", hop),
      listeners: (count) => {
        this.counted = count;
        this.events.emit("listeners", count);
      },
      room: (state) => {
        if (state.version <= (this.stated?.version ?? -1)) return; // known, or from a relay that lags behind
        this.stated = state;
        this.events.emit("room", state);
      },
      known: () => {
        this.settle?.resolve();
        this.settle = undefined;
      },
      failed: (failure) => this.failed(failure),
      presence: (name) => this.presence(name),
    };
  }

  private failed(failure: Failure): void {
    if (this.why) return;
    this.why = failure;
    void this.end();
    this.settle?.reject(failure);
    this.settle = undefined;
  }

  /** Tells the page when the state is another one. */
  private changed(): void {
    const { hearing } = this;
    const idle = { connected: false, wasConnected: false, queued: false, sound: "idle", speakers: 0 } as const;
    const state = listenerState({
      running: hearing !== undefined,
      failed: this.why !== undefined,
      ...(hearing?.situation() ?? idle),
    });
    if (state === this.shown) return;
    this.shown = state;
    this.events.emit("state", state);
  }

  private presence(name: string): Presence {
    let presence = this.presences.get(name);
    if (!presence) this.presences.set(name, (presence = new Presence(name)));
    return presence;
  }

  private tellSpeakers(): void {
    const { speakers } = this;
    const told = JSON.stringify(speakers.map(({ name, muted, volume }) => [name, muted, volume]));
    if (told !== this.told) this.events.emit("speakers", speakers);
    this.told = told;
    this.changed();
  }
}

/** The lobby to ask: the one that the page names, or where the page came from. */
export function lobbyOf(lobby: string | undefined, host: Host): URL {
  try {
    const url = new URL(lobby ?? host.origin ?? "");
    if (url.protocol === "https:" || url.protocol === "http:") return url;
  } catch {
    // falls through
  }
  throw new Failure("unreachable", `${JSON.stringify(lobby ?? "")} is no address of a lobby`);
}

function nothing(room: string): ListenerStats {
  return {
    room, durationMs: 0, relay: "", standby: "", transport: "", delayMs: 0, rttMs: undefined, underruns: 0, tracks: [], hops: [],
  };
}
