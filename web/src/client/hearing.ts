import { type PlayerState, defaultDelay } from "../audio";
import { type Effect, type Hopped, Machine, TICK } from "../hop";
import { type Floor, type ProtocolError, Role, type SourcePacket } from "../protocol";
import { soundFailure } from "./failure";
import { Feed, type Gathering } from "./feed";
import { followFloor, leaveOut } from "./floor";
import { HopLog, LOST_EVERY } from "./hoplog";
import type { Host, Sound } from "./host";
import type { Line } from "./line";
import { fetchRoom } from "./lobby";
import { reachBack, repair, unsettled } from "./repair";
import { type Owner, Roamer } from "./roamer";
import type { Presence } from "./speakers";
import type { Situation } from "./state";
import type { Intake, Tap } from "./tap";
import { Toggle } from "./toggle";
import { type Track, Tracks } from "./track";
import type { Failure, Hop, ListenOptions, ListenerStats, RoomState } from "./types";

/**
 * How often a listener looks after what no packet reminds it of, in ms: while
 * something is missing, and while nothing is, to let a battery sleep. In a calm it
 * does so when a packet has woken it, and by itself if none comes for so long.
 */
const TEND_EVERY = 20;
const TEND_CALMLY = 200;
const TEND_ALONE = 1000;
/**
 * How long a track outlives its last announcement, in ms, so that a speaker or
 * relay that comes back is the same voice in the same buffer.
 */
const LINGER = 10_000;
/** How often the number of listeners is asked for, and how soon first, in ms. */
const COUNT_EVERY = 15_000;
const COUNT_AFTER = 2000;
/** The packet length if neither the page, the lobby nor the first relay says, in ms. */
const DEFAULT_PACKET = 60;

/** What a hearing tells its listener. */
export interface Telling {
  /** Something is not as it was. */
  changed(): void;
  speakers(): void;
  hop(hop: Hop): void;
  listeners(count: number): void;
  room(state: RoomState): void;
  /** A relay has said who is live. */
  known(): void;
  /** It will not work without a change. */
  failed(failure: Failure): void;
  /** What the page has set for a speaker. */
  presence(name: string): Presence;
}

/**
 * All of a listener from one start to the stop that follows. It finds the room's
 * speakers, subscribes to each, merges what any of its sessions delivers by
 * sequence, fetches what is missing and has it played. Sessions come and go; the
 * tracks stay.
 *
 * Package hop decides about the sessions: one is listened to, another stands by to
 * take over within a round trip (docs/hops.md).
 */
export class Hearing implements Owner, Gathering {
  readonly sound: Sound;
  private readonly machine: Machine;
  private readonly roamer: Roamer;
  private readonly feeds = new Map<Line, Feed>();
  private readonly tracks = new Tracks();
  private readonly hops = new HopLog();
  private readonly began: number;
  private tended: number; // when
  private tending: ReturnType<typeof setTimeout> | undefined;
  private calm = true; // nothing is missing
  private looked: number; // when the lost were counted last
  private over = false;
  private wishedPacket: 20 | 60 | 120 | undefined;
  private countAt: number;
  private counted: number | undefined;
  private relay = ""; // listened to last
  private floor: Floor = [];
  private readonly audience = new Toggle(); // who listens does not speak
  private muted: ReadonlySet<string> = new Set(); // in the room, for everybody
  private heardWho = false; // a relay has said who is live
  private wasCarried = false; // one has carried the room, now or before

  /** Opens the sound card at once: only in a gesture may sound come out. */
  constructor(
    private readonly options: ListenOptions,
    private readonly host: Host,
    lobby: URL,
    private readonly page: Telling,
  ) {
    this.sound = host.sound({
      workletUrl: options.workletUrl,
      record: options.record ?? false,
      onstate: (state) => this.sounds(state),
    });
    this.machine = new Machine({ jitter: host.random(), cold: options.noStandby ?? false });
    this.audience.set(true);
    const { room, token, zone, transport, hopId } = options;
    const setup = { role: Role.Subscriber, ...(hopId !== undefined && { hopId }) };
    const purpose = { does: "listen", room, name: undefined, token, zone, transport, noStandby: options.noStandby, setup, publisher: undefined } as const;
    this.roamer = new Roamer(host, this.machine, purpose, this, lobby);
    this.wishedPacket = options.packet;
    this.began = host.now();
    this.countAt = this.began + COUNT_AFTER;
    this.looked = this.tended = this.began;
    this.tendLater(true);
  }

  start(): void {
    this.sound.start().catch((error: unknown) => this.failed(soundFailure(error)));
    this.roamer.start(this.options.prepared?.relays(this.began));
  }

  /** Lets go of everything but the counters. */
  async end(): Promise<void> {
    this.over = true;
    clearTimeout(this.tending);
    this.roamer.stop();
    await this.sound.close().catch(() => undefined);
  }

  failed(failure: Failure): void {
    if (!this.over) this.page.failed(failure);
  }

  changed(): void {
    if (!this.over) this.page.changed();
  }

  private sounds(state: PlayerState): void {
    if (state === "failed") this.failed(soundFailure(this.sound.error));
    else this.changed();
  }

  // What the sessions bring.

  up(line: Line): void {
    this.feeds.set(line, new Feed(this, line));
    this.wishedPacket ??= this.roamer.directory.packetMs() ?? line.setup.packetMs ?? DEFAULT_PACKET;
  }

  down(line: Line): void {
    this.feeds.delete(line);
  }

  async serve(line: Line): Promise<void> {
    const feed = this.feeds.get(line);
    if (!feed) return;
    void followFloor(feed, this.options.room, this.audience, (floor) => this.takeFloor(floor));
    await feed.run();
  }

  /** Whoever listens also speaks: sound comes sooner, and from everybody on stage. */
  set interactive(on: boolean) {
    this.sound.interactive = on;
    this.audience.set(!on);
    if (on) this.takeFloor([]);
  }

  private takeFloor(floor: Floor): void {
    this.floor = floor;
    for (const track of this.tracks) this.leaveOut(track);
  }

  /** Of a crowded stage only the loudest are heard, and nobody who is muted: the others are not missing. */
  private leaveOut(track: Track): void {
    if (leaveOut(track, this.floor, this.muted.has(track.speaker))) this.roamer.step({ kind: "withheld", track: track.number });
  }

  order(effect: Extract<Effect, { kind: "subscribe" | "unsubscribe" }>, line: Line): void {
    const feed = this.feeds.get(line);
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
    this.hops.hopped(hop, this.age());
    this.changed();
  }

  room(state: RoomState): void {
    if (this.over) return;
    this.muted = new Set(state.stage.filter((member) => member.muted).map(({ name }) => name));
    // Whoever may be heard again is so from the next frame that comes on.
    for (const track of this.tracks) if (this.muted.has(track.speaker)) this.leaveOut(track);
    this.page.room(state);
  }

  woke(): void {
    void this.sound.resume().catch(() => undefined);
    this.changed();
  }

  get packetMs(): number {
    return this.wishedPacket ?? DEFAULT_PACKET;
  }

  readonly now = (): number => this.roamer.now();
  readonly random = (): number => this.host.random();

  known(): void {
    if (this.over) return;
    this.heardWho = true;
    this.page.known();
    this.changed();
  }

  join(speaker: string, origin: string): Track | undefined {
    return this.tracks.join(speaker, origin, (oldest) => this.endTrack(oldest));
  }

  announced(feed: Feed, tap: Tap): void {
    tap.track.leftAt = undefined;
    tap.track.over = false;
    this.roamer.step({ kind: "announced", session: feed.id, track: tap.track.number });
    this.tellSpeakers();
  }

  leave(feed: Feed, tap: Tap, over: boolean): void {
    const { track } = tap;
    this.roamer.step({ kind: "ended", session: feed.id, track: track.number });
    if (track.taps.size > 0 || track.leftAt !== undefined) return;
    track.leftAt = this.host.now();
    track.over = over;
    this.tellSpeakers();
  }

  begin(track: Track, intake: Intake): void {
    if (this.over || track.voice) return;
    for (const other of this.tracks) {
      if (other !== track && other.speaker === track.speaker) this.endTrack(other); // it began anew
    }
    const packetMs = intake.format.size * 20;
    const minDelay = Math.max(this.options.delayMs ?? defaultDelay(packetMs), 20);
    track.voice = this.sound.add(track.speaker, { channels: intake.channels, packetMs, minDelay });
    this.page.presence(track.speaker).use(track.voice);
  }

  deliver(intake: Intake, group: number, frames: readonly SourcePacket[], fault: ProtocolError | undefined): void {
    const { track, feed } = intake.tap;
    if (fault) track.malformed++;
    if (this.over || !track.buffer || frames.length === 0) return;
    const { size } = intake.format;
    const now = this.now();
    const first = track.newest === undefined;
    track.saw(frames, group, size);
    for (const f of frames) track.buffer.push(f.sequence, f.timestampUs, f.opus, now);
    this.roamer.step({
      kind: "arrived", session: feed.id, track: track.number, sequence: group * size, frames: size,
      timestamp: mediaTime(frames[0]!, group * size),
    });
    this.sound.refill();
    if (first) void reachBack(track, intake, group, track.buffer.timing(now).delay, this.now);
    this.leaveOut(track);
    repair(track, this.now);
    if (this.calm && unsettled(track, now)) this.tendLater(false);
    else if (this.calm && now - this.tended >= TEND_CALMLY) this.tend();
  }

  // What nothing reminds of.

  private tendLater(calm: boolean): void {
    clearTimeout(this.tending);
    this.calm = calm;
    if (!this.over) this.tending = setTimeout(() => this.tend(), calm ? TEND_ALONE : TEND_EVERY);
  }

  private tend(): void {
    const now = (this.tended = this.now());
    let calm = true;
    for (const track of this.tracks) {
      if (!track.voice) continue;
      repair(track, this.now);
      calm &&= !unsettled(track, now);
      if (track.leftAt !== undefined && now - track.leftAt > LINGER) this.endTrack(track);
    }
    if (now - this.looked >= LOST_EVERY) this.look(now);
    this.tendLater(calm);
  }

  private look(now: number): void {
    this.looked = now;
    for (const hop of this.hops.count(this.age(), this.tracks.lost)) this.page.hop(hop);
    if (now >= this.countAt && this.heardWho) {
      this.countAt = now + COUNT_EVERY + this.host.random() * 1000;
      void this.count();
    }
    this.changed();
  }

  /** Asks how many listen. Nobody who can say it leaves the number as it was. */
  private async count(): Promise<void> {
    try {
      const room = await fetchRoom(this.roamer.directory.lobby.origin, this.options.room, { fetch: this.host.fetch });
      if (this.over || room.state === "unknown") return;
      if (room.version > 0) this.room(room); // if it was not pushed
      if (room.listeners === this.counted) return;
      this.counted = room.listeners;
      this.page.listeners(room.listeners);
    } catch {
      // later, perhaps
    }
  }

  /** Lets a track's voice go and keeps its counters. */
  private endTrack(track: Track): void {
    if (!track.voice) return;
    track.past = track.stats;
    track.voice = undefined;
    this.page.presence(track.speaker).use(undefined);
    this.sound.remove(track.speaker);
    this.tellSpeakers();
  }

  private tellSpeakers(): void {
    if (!this.over) this.page.speakers();
    this.changed();
  }

  private age(): number {
    return this.now() - this.began;
  }

  // How it is.

  /** When the next try is, in the host's ms, while the network is full. */
  get retryAt(): number | undefined {
    return this.roamer.retryAt;
  }

  /** HTTP addresses of relays, the page's own first. */
  get lobbies(): string[] {
    return this.roamer.directory.lobbies();
  }

  /** Who is live. */
  live(): string[] {
    return this.tracks.live();
  }

  /** What the state depends on. */
  situation(): Omit<Situation, "running" | "failed"> {
    const connected = this.heardWho && this.carried();
    this.wasCarried ||= connected;
    this.relay = this.machine.primary()?.candidate.name ?? this.relay;
    return {
      connected,
      wasConnected: this.wasCarried,
      queued: this.roamer.retryAt !== undefined,
      sound: this.sound.state,
      speakers: this.live().length,
    };
  }

  /** Whether a relay carries the room. */
  private carried(): boolean {
    const line = this.primaryLine();
    return line !== undefined && this.roamer.carries(line);
  }

  private primaryLine(): Line | undefined {
    const held = this.machine.primary();
    return held && this.roamer.line(held.session);
  }

  stats(): ListenerStats {
    const line = this.primaryLine();
    const now = this.now();
    const delays = [...this.tracks].flatMap((t) => (t.buffer ? [t.buffer.timing(now).delay] : []));
    return {
      room: this.options.room,
      durationMs: now - this.began,
      relay: this.machine.primary()?.candidate.name ?? this.relay,
      standby: this.machine.standby()?.candidate.name ?? "",
      transport: line?.transport ?? "",
      delayMs: delays.length > 0 ? Math.max(...delays) : (this.options.delayMs ?? defaultDelay(this.packetMs)),
      rttMs: line?.roundTrip,
      underruns: this.sound.stats.missed,
      tracks: this.tracks.stats(),
      hops: this.hops.hops,
    };
  }
}

/** When a group that starts at a sequence begins, in ms, by its first frame that came. Clocks of strangers may say what they like. */
function mediaTime(f: SourcePacket, start: number): number {
  return Math.max(f.timestampUs / 1000 - (f.sequence - start) * 20, 0);
}
