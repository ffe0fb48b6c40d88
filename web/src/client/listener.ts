import { type PlayerState, defaultDelay } from "../audio";
import type { Effect, Hopped } from "../hop";
import { Machine, TICK } from "../hop";
import { type ProtocolError, Role, type SourcePacket } from "../protocol";
import { Emitter } from "./emitter";
import { soundFailure } from "./failure";
import { Feed, type Gathering } from "./feed";
import { HopLog, LOST_EVERY } from "./hoplog";
import type { Host, Sound } from "./host";
import type { Line } from "./line";
import { fetchRoom } from "./lobby";
import { nameFault } from "./names";
import { repair } from "./repair";
import { type Owner, Roamer } from "./roamer";
import { Presence } from "./speakers";
import { listenerState } from "./state";
import type { Intake, Tap } from "./tap";
import { Track } from "./track";
import {
  Failure, type ListenOptions, type Listener, type ListenerEvents, type ListenerState, type ListenerStats, type SpeakerView,
} from "./types";

/** How many speakers are followed at once. */
const MAX_SPEAKERS = 64;
/** How often a listener looks after what no packet reminds it of, in ms. */
const TEND_EVERY = 20;
/**
 * How long a track outlives its last announcement, in ms, so that a speaker or
 * relay that comes back is the same voice in the same buffer.
 */
const LINGER = 10_000;
/** For how long a session may bring nothing, not even a tick, and still carry the room, in ms. */
const CARRIES_FOR = 1500;
/** How often the number of listeners is asked for, and how soon first, in ms. */
const COUNT_EVERY = 15_000;
const COUNT_AFTER = 2000;
/** The packet length if neither the page, the lobby nor the first relay says, in ms. */
const DEFAULT_PACKET = 60;

/** All of one run of a listener, from start to stop. */
interface Run {
  readonly sound: Sound;
  readonly roamer: Roamer;
  readonly machine: Machine;
  readonly feeds: Map<Line, Feed>;
  readonly hops: HopLog;
  readonly tracks: Set<Track>;
  readonly timers: ReturnType<typeof setInterval>[];
  readonly began: number;
  packetMs: 20 | 60 | 120 | undefined;
  lastTrack: number;
  countedAt: number;
  relay: string; // listened to last
  known: boolean; // a relay has said who is live
  carried: boolean; // one has carried the room, now or before
}

/**
 * Follows the speakers of a room: it finds them, subscribes to each, merges what
 * any of its sessions delivers by sequence, fetches what is missing and has it
 * played. Sessions come and go; the tracks stay.
 *
 * Package hop decides about the sessions: one is listened to, another stands by to
 * take over within a round trip (docs/hops.md).
 */
export class RoomListener implements Listener, Owner, Gathering {
  private readonly events = new Emitter<ListenerEvents>();
  private readonly presences = new Map<string, Presence>();
  private run: Run | undefined;
  private shown: ListenerState = "idle";
  private why: Failure | undefined;
  private counted: number | undefined;
  private wantedVolume = 1;
  private wantedMuted = false;
  private settle: { resolve: () => void; reject: (why: Failure) => void } | undefined;
  private ended: ListenerStats | undefined;
  private told = "[]"; // of the speakers, without their levels

  constructor(
    private readonly options: ListenOptions,
    private readonly host: Host,
  ) {
    const fault = nameFault(options.room);
    if (fault) throw new TypeError(`room: ${fault}`);
  }

  // What a page sees.

  get state(): ListenerState {
    return this.shown;
  }
  get failure(): Failure | undefined {
    return this.why;
  }
  get retryAtMs(): number | undefined {
    return this.shown === "queued" ? this.run?.roamer.retryAt : undefined;
  }
  get listeners(): number | undefined {
    return this.counted;
  }
  get speakers(): readonly SpeakerView[] {
    const now = this.host.now();
    return this.live().map((name) => this.presence(name).view(now));
  }
  get volume(): number {
    return this.wantedVolume;
  }
  set volume(gain: number) {
    this.wantedVolume = Number.isFinite(gain) ? Math.min(Math.max(gain, 0), 1) : 1;
    if (this.run) this.run.sound.volume = this.wantedVolume;
  }
  get muted(): boolean {
    return this.wantedMuted;
  }
  set muted(on: boolean) {
    this.wantedMuted = on;
    if (this.run) this.run.sound.muted = on;
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

  // Beginning and end.

  start(): Promise<void> {
    if (this.run) return Promise.reject(new Error("the listener has started already"));
    this.why = undefined;
    const connected = new Promise<void>((resolve, reject) => (this.settle = { resolve, reject }));
    let sound: Sound;
    try {
      sound = this.open(); // at once: only in a gesture may sound come out
    } catch (error) {
      this.failed(error instanceof Failure ? error : soundFailure(error));
      return connected;
    }
    sound.start().catch((error: unknown) => this.failed(soundFailure(error)));
    this.run!.roamer.start();
    this.changed();
    return connected;
  }

  /** Makes all that a run needs. */
  private open(): Sound {
    const { options, host } = this;
    const lobby = lobbyOf(options.lobby, host);
    const sound = host.sound({
      workletUrl: options.workletUrl,
      record: options.record ?? false,
      onstate: (state) => this.sounds(state),
    });
    sound.volume = this.wantedVolume;
    sound.muted = this.wantedMuted;
    const machine = new Machine({ jitter: host.random(), cold: options.noStandby ?? false });
    const purpose = {
      does: "listen", room: options.room, name: undefined, token: options.token, zone: options.zone, transport: options.transport,
      setup: { role: Role.Subscriber }, publisher: undefined,
    } as const;
    this.run = {
      sound, machine,
      roamer: new Roamer(host, machine, purpose, this, lobby),
      feeds: new Map(), hops: new HopLog(), tracks: new Set(),
      timers: [
        setInterval(() => this.tend(), TEND_EVERY),
        setInterval(() => this.look(), LOST_EVERY),
      ],
      began: host.now(), packetMs: options.packet, lastTrack: 0, countedAt: host.now() - COUNT_EVERY + COUNT_AFTER, relay: "", known: false, carried: false,
    };
    this.ended = undefined;
    return sound;
  }

  async resume(): Promise<void> {
    await this.run?.sound.resume();
    this.changed();
  }

  async stop(): Promise<void> {
    this.settle?.reject(new Failure("unreachable", "stopped"));
    this.settle = undefined;
    await this.end();
    this.why = undefined;
    this.changed();
  }

  /** Lets go of everything but the counters. */
  private async end(): Promise<void> {
    const run = this.run;
    if (!run) return;
    this.ended = this.stats();
    this.run = undefined;
    for (const timer of run.timers) clearInterval(timer);
    run.roamer.stop();
    for (const presence of this.presences.values()) presence.use(undefined);
    this.tellSpeakers();
    await run.sound.close().catch(() => undefined);
  }

  failed(failure: Failure): void {
    if (this.why) return;
    this.why = failure;
    void this.end();
    this.settle?.reject(failure);
    this.settle = undefined;
    this.changed();
  }

  private sounds(state: PlayerState): void {
    const { run } = this;
    if (state === "failed" && run) this.failed(soundFailure(run.sound.error));
    else this.changed();
  }

  // What the sessions bring.

  up(line: Line): void {
    const run = this.run;
    if (!run) return;
    run.feeds.set(line, new Feed(this, line));
    run.packetMs ??= run.roamer.directory.packetMs() ?? line.setup.packetMs ?? DEFAULT_PACKET;
  }

  known(): void {
    if (!this.run) return;
    this.run.known = true;
    this.settle?.resolve();
    this.settle = undefined;
    this.changed();
  }

  down(line: Line): void {
    this.run?.feeds.delete(line);
  }

  async serve(line: Line): Promise<void> {
    await this.run?.feeds.get(line)?.run();
  }

  order(effect: Extract<Effect, { kind: "subscribe" | "unsubscribe" }>, line: Line): void {
    const feed = this.run?.feeds.get(line);
    if (!feed) return;
    if (effect.track === TICK) {
      feed.inUse.set(effect.kind === "subscribe");
      return;
    }
    const tap = feed.voices.get(effect.track);
    if (effect.kind === "subscribe") tap?.call(effect.start);
    else tap?.dismiss();
  }

  hopped(hop: Hopped): void {
    this.run?.hops.hopped(hop, this.age());
    this.changed();
  }

  woke(): void {
    void this.run?.sound.resume().catch(() => undefined);
    this.changed();
  }

  get packetMs(): number {
    return this.run?.packetMs ?? DEFAULT_PACKET;
  }

  readonly now = (): number => this.run?.roamer.now() ?? this.host.now();
  readonly random = (): number => this.host.random();

  join(speaker: string, origin: string): Track | undefined {
    const run = this.run;
    if (!run) return undefined;
    for (const t of run.tracks) if (t.speaker === speaker && t.origin === origin) return t;
    if (run.tracks.size >= MAX_SPEAKERS && !this.makeRoom(run)) return undefined;
    const track = new Track(speaker, origin, ++run.lastTrack);
    run.tracks.add(track);
    return track;
  }

  /** Forgets the track that ended longest ago. */
  private makeRoom(run: Run): boolean {
    let oldest: Track | undefined;
    for (const t of run.tracks) {
      if (t.leftAt !== undefined && t.leftAt < (oldest?.leftAt ?? Infinity)) oldest = t;
    }
    if (!oldest) return false;
    this.endTrack(run, oldest);
    return run.tracks.delete(oldest);
  }

  announced(feed: Feed, tap: Tap): void {
    tap.track.leftAt = undefined;
    tap.track.over = false;
    this.run?.roamer.step({ kind: "announced", session: feed.id, track: tap.track.number });
    this.tellSpeakers();
  }

  leave(feed: Feed, tap: Tap, over: boolean): void {
    const { track } = tap;
    this.run?.roamer.step({ kind: "ended", session: feed.id, track: track.number });
    if (track.taps.size > 0 || track.leftAt !== undefined) return;
    track.leftAt = this.host.now();
    track.over = over;
    this.tellSpeakers();
  }

  begin(track: Track, intake: Intake): void {
    const run = this.run;
    if (!run || track.voice) return;
    for (const other of run.tracks) {
      if (other !== track && other.speaker === track.speaker) this.endTrack(run, other); // it began anew
    }
    const packetMs = intake.format.size * 20;
    const delay = Math.max(this.options.delayMs ?? defaultDelay(packetMs), 20);
    track.voice = run.sound.add(track.speaker, { channels: intake.channels, packetMs, minDelay: delay });
    this.presence(track.speaker).use(track.voice);
  }

  deliver(intake: Intake, group: number, frames: readonly SourcePacket[], fault: ProtocolError | undefined): void {
    const run = this.run;
    const { track, feed } = intake.tap;
    if (fault) track.malformed++;
    if (!run || !track.buffer || frames.length === 0) return;
    const { size } = intake.format;
    const now = this.now();
    track.saw(frames, group, size);
    for (const f of frames) track.buffer.push(f.sequence, f.timestampUs, f.opus, now);
    run.roamer.step({
      kind: "arrived", session: feed.id, track: track.number, sequence: group * size, frames: size,
      timestamp: mediaTime(frames[0]!, group * size),
    });
    repair(track, this.now);
  }

  // What nothing reminds of.

  private tend(): void {
    const run = this.run;
    if (!run) return;
    const now = this.now();
    for (const track of run.tracks) {
      if (!track.voice) continue;
      repair(track, this.now);
      if (track.leftAt !== undefined && now - track.leftAt > LINGER) this.endTrack(run, track);
    }
  }

  private look(): void {
    const run = this.run;
    if (!run) return;
    for (const hop of run.hops.count(this.age(), this.lost())) this.events.emit("hop", hop);
    const now = this.now();
    if (now - run.countedAt >= COUNT_EVERY && run.roamer.wasUp) {
      run.countedAt = now + this.host.random() * 1000;
      void this.count(run);
    }
    this.changed();
  }

  /** Asks how many listen. Nobody who can say it leaves the number as it was. */
  private async count(run: Run): Promise<void> {
    try {
      const room = await fetchRoom(run.roamer.directory.lobby.origin, this.options.room, { fetch: this.host.fetch });
      if (this.run !== run || room.state === "unknown" || room.listeners === this.counted) return;
      this.counted = room.listeners;
      this.events.emit("listeners", room.listeners);
    } catch {
      // later, perhaps
    }
  }

  /** Lets a track's voice go and keeps its counters. */
  private endTrack(run: Run, track: Track): void {
    if (!track.voice) return;
    track.past = track.stats;
    track.voice = undefined;
    this.presence(track.speaker).use(undefined);
    run.sound.remove(track.speaker);
    this.tellSpeakers();
  }

  private age(): number {
    return this.now() - (this.run?.began ?? 0);
  }

  private lost(): number {
    let lost = 0;
    for (const track of this.run?.tracks ?? []) lost += track.stats.lost;
    return lost;
  }

  // What a page is told.

  /** Tells the page when the state is another one. */
  changed(): void {
    const run = this.run;
    const connected = this.carried() && run!.known;
    const state = listenerState({
      running: run !== undefined,
      failed: this.why !== undefined,
      connected,
      wasConnected: run?.carried ?? false,
      queued: run?.roamer.retryAt !== undefined,
      sound: run?.sound.state ?? "idle",
      speakers: this.live().length,
    });
    if (run) {
      run.carried ||= connected;
      run.relay = run.machine.primary()?.candidate.name ?? run.relay;
    }
    if (state === this.shown) return;
    this.shown = state;
    this.events.emit("state", state);
  }

  /** Whether a relay carries the room: one that sends ticks has sent something lately. */
  private carried(): boolean {
    const held = this.run?.machine.primary();
    const line = held && this.run!.roamer.line(held.session);
    return line !== undefined && this.run!.roamer.has(line) && (!line.stentor || line.quiet() < CARRIES_FOR);
  }

  /**
   * Who is live. Whoever is gone because all sessions are stays for a while: the
   * room has not emptied.
   */
  private live(): string[] {
    const names = new Set<string>();
    for (const t of this.run?.tracks ?? []) {
      if (t.leftAt === undefined || (!t.over && t.voice !== undefined)) names.add(t.speaker);
    }
    return [...names].sort();
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

  stats(): ListenerStats {
    const run = this.run;
    if (!run) return this.ended ?? nothing(this.options.room);
    const held = run.machine.primary();
    const line = held && run.roamer.line(held.session);
    const now = this.now();
    const delays = [...run.tracks].flatMap((t) => (t.buffer ? [t.buffer.timing(now).delay] : []));
    return {
      room: this.options.room,
      durationMs: now - run.began,
      relay: held?.candidate.name ?? run.relay,
      standby: run.machine.standby()?.candidate.name ?? "",
      transport: line?.transport ?? "",
      delayMs: delays.length > 0 ? Math.max(...delays) : (this.options.delayMs ?? defaultDelay(this.packetMs)),
      rttMs: line?.roundTrip,
      underruns: run.sound.stats.missed,
      tracks: [...run.tracks].filter((t) => t.voice ?? t.past.expected > 0).map(trackStats).sort(bySpeaker),
      hops: run.hops.hops,
    };
  }

  recorded(): Promise<Float32Array> {
    return Promise.resolve(this.run?.sound.recording() ?? new Float32Array(0));
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
  throw new TypeError(`lobby: ${JSON.stringify(lobby ?? "")} is no http or https address`);
}

/** When a group that starts at a sequence begins, in ms, by its first frame that came. Clocks of strangers may say what they like. */
function mediaTime(f: SourcePacket, start: number): number {
  return Math.max(f.timestampUs / 1000 - (f.sequence - start) * 20, 0);
}

function trackStats(t: Track): ListenerStats["tracks"][number] {
  const { first, last, expected, played, lost, concealed, repaired, duplicate, late } = t.stats;
  return { speaker: t.speaker, first, last, expected, played, lost, concealed, repaired, duplicate, late };
}

function bySpeaker(a: { speaker: string }, b: { speaker: string }): number {
  return a.speaker < b.speaker ? -1 : 1;
}

function nothing(room: string): ListenerStats {
  return {
    room, durationMs: 0, relay: "", standby: "", transport: "", delayMs: 0, rttMs: undefined, underruns: 0, tracks: [], hops: [],
  };
}
