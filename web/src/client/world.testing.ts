// A network in memory for tests: relays that answer as Stentor's do, voices, a
// lobby, a sound card that counts, and a clock that only the test moves.
import { mock } from "node:test";
import { Buffer } from "../audio/buffer";
import { QUIETEST } from "../audio";
import type { CapturedFrame, PlayerState, PlayerStats, Voice, VoiceOptions } from "../audio";
import type { Slot } from "../audio";
import { type Floor, type Frame, ResetCode, Track, encodeBundle, encodeCatalog, encodeFloor, encodeLegacy, floorVoice, voiceCatalog } from "../protocol";
import type { Catalog, Setup } from "../protocol";
import { abortable } from "../session/abort";
import type { Connection } from "../session/connection";
import { Refusal } from "../session/errors";
import { type MemoryConnection, memoryPair } from "../session/memory";
import { type AnnounceWriter, type Publisher, type Subscriber, aborted } from "../session/publisher";
import { Session } from "../session/session";
import type { Host, MicrophoneWish, Reach, Sound, SoundOptions, Voicing, Watch } from "./host";
import { RoomListener } from "./listener";
import { RoomTalker } from "./talker";
import type { ListenOptions, TalkOptions } from "./types";

/** How far the clock moves at a time, in ms. */
const STEP = 5;
const FRAME = 20;

/** Somebody who speaks, one packet every 20 ms, into every relay at once. */
export class Speech {
  readonly packets: { timestampUs: number; opus: Uint8Array }[] = [];
  paused = false;
  over = false;

  constructor(
    readonly name: string,
    readonly hopId: number,
    readonly catalog: Catalog = voiceCatalog(32_000),
  ) {}

  /** The frames that a group of a track holds, if they are all there. */
  group(track: string, n: number): Frame | undefined {
    const size = groupSize(track);
    const packets = this.packets.slice(n * size, (n + 1) * size);
    if (packets.length < size) return undefined;
    const { timestampUs, opus } = packets[0]!;
    if (size > 1) return { timestamp: timestampUs, payload: encodeBundle(packets.map((p) => p.opus)) };
    return { timestamp: timestampUs, payload: encodeLegacy({ timestampUs, opus }) };
  }

  /** The newest whole group of a track; -1 before the first. */
  newest(track: string): number {
    return Math.floor(this.packets.length / groupSize(track)) - 1;
  }
}

function groupSize(track: string): number {
  return track === Track.Audio60 ? 3 : track === Track.Audio120 ? 6 : 1;
}

interface Client {
  readonly session: Session;
  readonly connection: MemoryConnection;
  /** What the relay has sent it last, in ms. */
  sentAt: number;
  /** How often it follows whom listeners hear; undefined: it never has. */
  floors?: number;
}

/** A relay. It sends what it has at each step of the clock. */
export class FakeRelay {
  readonly clients = new Set<Client>();
  /** Nothing goes out and nobody is let in, without a word. */
  dead = false;
  /** Whom it tells to go away at once, and why. */
  refuse: { code: number; reason: string } | undefined;
  /** It drops everybody at once, and says nothing that a browser would hear. */
  mute = false;
  /** Whoever connects reads this instead of moq-lite. */
  rubbish: Uint8Array | undefined;
  /** Every nth datagram of audio is lost; 0: none. */
  loses = 0;
  /** Its own setup; another maker's has none of Stentor's parameters. */
  setup: Setup = { goaway: true, packetMs: 60, load: 1 };
  bundles = true;
  /** What it says in its list besides who there is. */
  hints: { gone?: string[]; cold?: boolean } = {};
  /** It says whom listeners hear; or only knows of it, and says nothing new. */
  floors = true;
  tellsFloor = true;
  /** Requests to subscribe, by track. */
  readonly asked: string[] = [];
  private sent = 0;
  /** Of these, lost. */
  lost = 0;
  private starts = 0;

  constructor(
    private readonly world: World,
    readonly name: string,
    readonly zone: string,
  ) {}

  get url(): string {
    return `https://${this.name}:4443`;
  }

  get hash(): string {
    return (this.starts * 256 + this.name.charCodeAt(this.name.length - 1)).toString(16).padStart(64, "0");
  }

  /** It was dead and is there again, as another process: with another certificate. */
  restart(): void {
    this.starts++;
    for (const { connection } of this.clients) connection.lose();
    this.clients.clear();
    this.dead = false;
  }

  /** Takes a connection, as soon as the relay is not dead. */
  async accept(signal: AbortSignal): Promise<Connection> {
    const { starts } = this;
    while (this.dead) await abortable(this.world.nextStep(), signal);
    if (this.starts !== starts) throw new TypeError("Opening handshake failed.");
    const [here, there] = memoryPair();
    if (this.rubbish) {
      const stream = await here.openUni();
      await stream.write(this.rubbish);
      return there;
    }
    const client: Client = { connection: here, session: undefined!, sentAt: this.world.time };
    Object.assign(client, {
      session: new Session(here, { setup: this.setup, publisher: this.publisher(client) }),
    });
    this.clients.add(client);
    void client.session.closed.then(() => this.clients.delete(client));
    const { refuse } = this;
    if (this.mute) void client.session.peerSetup.then(() => here.lose());
    if (refuse) void client.session.peerSetup.then(() => here.close(refuse.code, refuse.reason));
    return there;
  }

  /** Asks every client to leave. */
  drain(uri = ""): void {
    for (const c of this.clients) void c.session.goaway(uri);
  }

  /** Ends every session, as a network that is gone does. */
  lose(): void {
    for (const c of [...this.clients]) c.connection.lose();
  }

  close(code: number, reason: string): void {
    for (const c of [...this.clients]) c.connection.close(code, reason);
  }

  private publisher(client: Client): Publisher {
    return {
      announce: (writer, signal) => this.announce(writer, signal),
      track: ({ track }) => {
        if (!this.bundles && (track === Track.Audio60 || track === Track.Audio120)) {
          throw new Refusal(ResetCode.NotFound, "no bundles here");
        }
        return { priority: 0, ordered: false, maxLatencyMs: 5000, timescale: track === Track.Catalog ? 1000 : 1_000_000 };
      },
      subscribe: (subscriber, signal) => this.subscribe(client, subscriber, signal),
      fetch: async (request, writer) => {
        while (this.dead) await this.world.nextStep();
        const frame = this.world.voices.get(request.broadcast)?.group(request.track, request.group);
        if (!frame) throw new Refusal(ResetCode.NotFound, "no such group");
        await writer.write(frame);
      },
    };
  }

  private async announce(writer: AnnounceWriter, signal: AbortSignal): Promise<void> {
    const told = new Map<string, number>();
    const active = (v: Speech): { active: boolean; suffix: string; hops: number[] } => ({
      active: true, suffix: v.name, hops: [v.hopId],
    });
    const live = [...this.world.voices.values()].filter((v) => !v.over);
    for (const v of live) told.set(v.name, v.hopId);
    await writer.initial(live.map(active), 77);
    for (;;) {
      await abortable(this.world.nextStep(), signal);
      if (this.dead) continue;
      for (const v of this.world.voices.values()) {
        const known = told.get(v.name);
        if (!v.over && known !== v.hopId) {
          told.set(v.name, v.hopId);
          await writer.announce(active(v));
        } else if (v.over && known !== undefined) {
          told.delete(v.name);
          await writer.announce({ active: false, suffix: v.name, hops: [] });
        }
      }
    }
  }

  private async subscribe(client: Client, subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    const { broadcast, track } = subscriber.request;
    this.asked.push(track);
    if (broadcast === ".stentor/relay") return this.own(client, subscriber, signal);
    if (track === "loudest") return this.loudest(client, subscriber, signal);
    if (track === "state") return this.state(subscriber, signal);
    const voice = this.world.voices.get(broadcast);
    if (!voice) throw new Refusal(ResetCode.Unroutable, "nobody");
    if (track === Track.Catalog) {
      await subscriber.writeGroup(0, { timestamp: 0, payload: encodeCatalog(voice.catalog) });
      return aborted(signal);
    }
    let next = subscriber.delivery.start ?? Math.max(voice.newest(track), 0);
    for (;;) {
      if (client.floors === 0) next = Math.max(next, voice.newest(track) - 1); // what was left out before is over
      for (let group = next; !this.dead && group <= voice.newest(track); group++) {
        if (client.floors !== 0 && !this.world.heard(voice, group * groupSize(track))) continue;
        client.sentAt = this.world.time;
        this.sent++;
        if (this.loses > 0 && this.sent % this.loses === 0) this.lost++;
        else subscriber.sendDatagram(group, voice.group(track, group)!);
        next = group + 1;
      }
      await abortable(this.world.nextStep(), signal);
    }
  }

  /** What of the room is sent to listeners: at first, if something is said, and at each change. */
  private async loudest(client: Client, subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    if (!this.floors) throw new Refusal(ResetCode.NotFound, "no such track");
    let said: Floor = [];
    client.floors = (client.floors ?? 0) + 1;
    signal.addEventListener("abort", () => client.floors!--);
    for (let n = 0; ; await abortable(this.world.nextStep(), signal)) {
      if (this.dead || !this.tellsFloor || said === this.world.floor) continue;
      said = this.world.floor;
      await subscriber.writeGroup(n++, { timestamp: 0, payload: encodeFloor(said) });
    }
  }

  /** What the room is. */
  private async state(subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    let said: object | undefined;
    for (let n = 0; ; await abortable(this.world.nextStep(), signal)) {
      if (this.dead || said === this.world.room) continue;
      said = this.world.room;
      await subscriber.writeGroup(n++, { timestamp: 0, payload: new TextEncoder().encode(JSON.stringify(said)) });
    }
  }

  /** The relay's own tracks: the tick, and where to go on. */
  private async own(client: Client, subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    if (subscriber.request.track === "relays") {
      let said = "";
      for (let n = 0; ; await abortable(this.world.nextStep(), signal)) {
        const list = JSON.stringify({ ...this.world.list(this), ...this.hints });
        if (this.dead || list === said) continue;
        subscriber.sendDatagram(n++, { timestamp: 0, payload: new TextEncoder().encode((said = list)) });
      }
    }
    for (let n = 0; ; ) {
      await abortable(this.world.nextStep(), signal);
      if (this.dead || this.world.time - client.sentAt < 200) continue;
      client.sentAt = this.world.time;
      subscriber.sendDatagram(n++, { timestamp: 0, payload: new Uint8Array(0) });
    }
  }
}

/** A voice that counts what it would have played. */
class TestVoice implements Voice {
  readonly buffer: Buffer;
  level = { rms: QUIETEST, peak: QUIETEST };
  volume = 1;
  muted = false;
  readonly undecodable = 0;
  readonly slots: Slot["kind"][] = [];
  private pauseUntil = 0;

  constructor(
    readonly name: string,
    options: VoiceOptions,
  ) {
    this.buffer = new Buffer(options);
  }

  pop(now: number): void {
    if (now < this.pauseUntil) return;
    const slot = this.buffer.pop(now);
    this.slots.push(slot.kind);
    this.level = slot.kind === "play" ? { rms: -20, peak: -10 } : { rms: QUIETEST, peak: QUIETEST };
    if (slot.kind === "silence") this.pauseUntil = now + slot.wait;
  }

  /** Blocks after the first packet in which there was none. */
  get gaps(): number {
    const first = this.slots.indexOf("play");
    const last = this.slots.lastIndexOf("play");
    return this.slots.slice(first, last).filter((kind) => kind !== "play").length;
  }
}

/** A sound card. */
export class TestSound implements Sound {
  state: PlayerState = "idle";
  error: Error | null = null;
  volume = 1;
  muted = false;
  interactive = false;
  /** How often it was told to mix what is due. */
  refills = 0;
  readonly voices = new Map<string, TestVoice>();
  readonly all: TestVoice[] = [];

  constructor(
    private readonly options: SoundOptions,
    private readonly begins: PlayerState,
  ) {}

  enter(state: PlayerState): void {
    this.state = state;
    this.options.onstate(state);
  }
  async start(): Promise<void> {
    this.enter(this.begins);
  }
  async resume(): Promise<boolean> {
    if (this.state !== "closed") this.enter("playing");
    return true;
  }
  async close(): Promise<void> {
    this.enter("closed");
  }
  add(name: string, options: VoiceOptions = {}): Voice {
    const voice = new TestVoice(name, options);
    if (this.voices.has(name)) throw new Error(`${name} is already playing`);
    this.voices.set(name, voice);
    this.all.push(voice);
    return voice;
  }
  remove(name: string): void {
    this.voices.delete(name);
  }
  refill(): void {
    this.refills++;
  }
  recording(): Float32Array {
    return new Float32Array(0);
  }
  get stats(): PlayerStats {
    return { played: 0, missed: 0, underruns: 0, queued: 0, lead: 0, rate: 48000, shared: false, firstSoundAt: 0, skips: 0 };
  }
  pop(now: number): void {
    for (const voice of this.voices.values()) voice.pop(now);
  }
}

/** A microphone that says one packet every 20 ms. */
class TestMicrophone implements Voicing {
  level = { rms: -20, peak: -10 };
  muted = false;
  open = true;
  private sequence = 0;

  constructor(private readonly wish: MicrophoneWish) {}

  close(): void {
    this.open = false;
  }
  speak(): void {
    if (!this.open || (this.muted && this.sequence % 6 === 0)) return;
    const frame: CapturedFrame = {
      sequence: this.sequence, timestampUs: this.sequence * 20_000, packet: opus(this.sequence), rms: -26,
    };
    this.sequence++;
    this.wish.onframe(frame);
  }
  unplug(error: Error): void {
    this.open = false;
    this.wish.onended(error);
  }
}

/** An Opus packet of 20 ms that tells its number. */
function opus(n: number): Uint8Array {
  return Uint8Array.of(0x78, n & 255, (n >> 8) & 255, 1);
}

/** What a lobby is asked. */
type Route = (url: URL, init?: RequestInit) => Response | Promise<Response>;

/** All of it. Make one per test, by {@link inWorld}. */
export class World implements Host {
  time = 1000;
  readonly relays: FakeRelay[] = [];
  readonly voices = new Map<string, Speech>();
  readonly sounds: TestSound[] = [];
  readonly microphones: TestMicrophone[] = [];
  readonly watches = new Set<Watch>();
  readonly dials: string[] = [];
  readonly questions: string[] = [];
  /** What of the room relays send to listeners. */
  floor: Floor = [];
  /** What relays say of the room. */
  room: object = { room: "town", state: "live", version: 0, stage: [], hands: 0 };
  /** Answers in the lobby's place. */
  route: Route | undefined;
  /** What relays say to whoever asks why nobody was let in; then they let nobody in. */
  refuses = "";
  /** Whom a token lets speak, and who speaks already; relays drop the others without a word. */
  speakable = [""];
  readonly taken: string[] = [];
  /** What the next sound card is like when it starts, and how the next microphone fails. */
  locked = false;
  microphoneError: Error | undefined;
  readonly origin = "https://relay-a:4443";
  private wake!: () => void;
  private step!: Promise<void>;

  constructor(relays: number) {
    this.renew();
    for (let i = 0; i < relays; i++) {
      const letter = "abcdef"[i]!;
      this.relays.push(new FakeRelay(this, `relay-${letter}`, `zone-${letter}`));
    }
  }

  /** Settles when the clock has moved. */
  nextStep(): Promise<void> {
    return this.step;
  }
  private renew(): void {
    this.step = new Promise((resolve) => (this.wake = resolve));
  }

  /** Lets time go by. */
  async run(ms: number): Promise<void> {
    for (let end = this.time + ms; this.time < end; ) {
      this.time += STEP;
      if (this.time % FRAME === 0) this.frame();
      const wake = this.wake;
      this.renew();
      wake();
      mock.timers.tick(STEP);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private frame(): void {
    for (const v of this.voices.values()) {
      if (v.paused || v.over) continue;
      v.packets.push({ timestampUs: this.time * 1000, opus: opus(v.packets.length) });
    }
    for (const m of this.microphones) m.speak();
    for (const s of this.sounds) s.pop(this.time);
  }

  speak(name: string, hopId = 1000 + this.voices.size, catalog?: Catalog): Speech {
    const voice = new Speech(name, hopId, catalog);
    this.voices.set(name, voice);
    return voice;
  }

  /** Whether a frame is sent to listeners. */
  heard(voice: Speech, sequence: number): boolean {
    const said = floorVoice(this.floor, voice.name, String(voice.hopId));
    return !said || said.spans.some((s) => sequence >= s.from && sequence < s.until);
  }

  listen(options: Partial<ListenOptions> = {}): RoomListener {
    return new RoomListener({ room: "town", ...options }, this);
  }
  talk(options: Partial<TalkOptions> = {}): RoomTalker {
    return new RoomTalker({ room: "town", name: "ada", ...options }, this);
  }

  /** The answer of a lobby, or of a relay's track. */
  list(first?: FakeRelay): object {
    const alive = this.relays.filter((r) => !r.dead);
    const order = first ? [first, ...alive.filter((r) => r !== first)] : alive;
    const relays = order.map((r) => ({
      name: r.name, url: `${r.url}/town`, zone: r.zone, certificate_sha256: r.hash, certificates_sha256: [r.hash], load: 0, packet: "60ms",
    }));
    return { relays, retry_after_ms: 0 };
  }

  // The host.

  now = (): number => this.time;
  date = (): number => 1_700_000_000_000 + this.time;
  random = (): number => 0.5;
  readonly fetch = (async (input: URL | string, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input));
    this.questions.push(url.pathname + url.search);
    if (this.route) return this.route(url, init);
    const relay = this.relays.find((r) => new URL(r.url).host === url.host);
    if (!relay || relay.dead) throw new TypeError("fetch failed");
    if (url.pathname.endsWith("/relays")) return json(this.list());
    if (url.pathname === "/certificate.sha256") return new Response(relay.hash);
    if (url.searchParams.has("jwt")) {
      return this.refuses ? new Response(this.refuses, { status: 401 }) : json({ put: this.speakable, get: [""] });
    }
    return json({ room: "town", state: "live", listeners: 7, speakers: this.taken.map((name) => ({ name })) });
  }) as typeof fetch;

  async connect(url: string, reach: Reach): Promise<Connection> {
    this.dials.push(url);
    const relay = this.relays.find((r) => new URL(r.url).host === new URL(url).host);
    const known = reach.hashes.length === 0 || reach.hashes.includes(relay?.hash ?? "");
    if (!relay || this.refuses || !known) throw new TypeError("Opening handshake failed."); // browsers say no more
    return relay.accept(reach.signal);
  }
  sound(options: SoundOptions): Sound {
    const sound = new TestSound(options, this.locked ? "locked" : "playing");
    this.sounds.push(sound);
    return sound;
  }
  async microphone(wish: MicrophoneWish): Promise<Voicing> {
    if (this.microphoneError) throw this.microphoneError;
    const microphone = new TestMicrophone(wish);
    this.microphones.push(microphone);
    return microphone;
  }
  watch(watch: Watch): () => void {
    this.watches.add(watch);
    return () => void this.watches.delete(watch);
  }
}

/** An answer of HTTP. */
export function json(document: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(document), { status, headers: { "content-type": "application/json", ...headers } });
}

/** Runs f in a world of so many relays, under a clock of its own. */
export async function inWorld(relays: number, f: (w: World) => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  try {
    await f(new World(relays));
  } finally {
    mock.timers.reset();
  }
}

/** What p has settled to by now. Throws if it has not. */
export async function settled<T>(p: Promise<T>): Promise<T> {
  const pending = new Promise<never>((_, reject) => setImmediate(() => reject(new Error("it has not settled"))));
  return Promise.race([p, pending]);
}
