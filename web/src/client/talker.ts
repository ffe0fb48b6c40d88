import { type CapturedFrame, FRAME_MS } from "../audio";
import type { Hopped } from "../hop";
import { Pair } from "../hop";
import { Role, maxInteger, voiceCatalog } from "../protocol";
import { Broadcast } from "../session/broadcast";
import { Emitter } from "./emitter";
import { soundFailure } from "./failure";
import type { Host, Voicing } from "./host";
import type { Line } from "./line";
import { lobbyOf } from "./listener";
import { LevelReporter } from "./loudness";
import { nameFault } from "./names";
import { type Owner, Roamer } from "./roamer";
import { loudness } from "./speakers";
import { Failure, type TalkOptions, type RoomState, type Talker, type TalkerEvents, type TalkerState } from "./types";

/** bit/s. */
const DEFAULT_BITRATE = 32_000;
/**
 * How long the last frames and the announcement of the end may take to reach the
 * relays, in ms: a relay that takes longer has lost them anyway.
 */
const LEAVE_WITHIN = 500;

/** All of one run of a talker, from start to stop. */
interface Run {
  readonly broadcast: Broadcast;
  readonly roamer: Roamer;
  readonly pair: Pair;
  readonly began: number;
  microphone: Voicing | undefined;
}

/**
 * Speaks in a room, to two relays at a time if it knows of two. It goes on counting
 * its frames while relays are away, and one that comes back, or takes another's
 * place, takes what it missed of the last five seconds.
 */
export class RoomTalker implements Talker, Owner {
  private readonly events = new Emitter<TalkerEvents>();
  private run: Run | undefined;
  private shown: TalkerState = "idle";
  private why: Failure | undefined;
  private silent = false;
  private settle: { resolve: () => void; reject: (why: Failure) => void } | undefined;

  constructor(
    private readonly options: TalkOptions,
    private readonly host: Host,
  ) {
    for (const [what, name] of [["room", options.room], ["name", options.name]]) {
      const fault = nameFault(name);
      if (fault) throw new TypeError(`${what}: ${fault}`);
    }
  }

  get state(): TalkerState {
    return this.shown;
  }
  get failure(): Failure | undefined {
    return this.why;
  }
  get muted(): boolean {
    return this.silent;
  }
  get level(): number {
    const level = this.run?.microphone?.level;
    return level ? loudness(level.rms) : 0;
  }
  get relays(): readonly string[] {
    const { run } = this;
    return run?.pair.live().flatMap((id) => run.roamer.line(id)?.candidate.name ?? []) ?? [];
  }

  get lobbies(): readonly string[] {
    return this.run?.roamer.directory.lobbies() ?? [];
  }

  on<E extends keyof TalkerEvents>(event: E, handler: (value: TalkerEvents[E]) => void): () => void {
    return this.events.on(event, handler);
  }

  async start(): Promise<void> {
    if (this.run) throw new Error("the talker has started already");
    this.why = undefined;
    const live = new Promise<void>((resolve, reject) => (this.settle = { resolve, reject }));
    live.catch(() => undefined); // whoever waits below hears of it
    try {
      const run = this.open();
      this.run = run;
      this.changed();
      await this.listen(run);
      if (this.run === run) run.roamer.start();
    } catch (error) {
      this.failed(soundFailure(error));
    }
    this.changed();
    return live;
  }

  private open(): Run {
    const { options, host } = this;
    const bitrate = options.bitrate ?? DEFAULT_BITRATE;
    const hopId = options.hopId ?? 1 + Math.floor(host.random() * (maxInteger - 1));
    const broadcast = new Broadcast(hopId, voiceCatalog(bitrate));
    const pair = new Pair({ jitter: host.random() });
    const purpose = {
      does: "speak", room: options.room, name: options.name, token: options.token, zone: options.zone, transport: options.transport,
      setup: { role: Role.Publisher, hopId }, publisher: broadcast.at(options.name),
    } as const;
    const roamer = new Roamer(host, pair, purpose, this, lobbyOf(options.lobby, host));
    return { broadcast, pair, roamer, began: host.now(), microphone: undefined };
  }

  /** Opens the microphone: the gesture that began this is still near. */
  private async listen(run: Run): Promise<void> {
    let began: number | undefined; // of the voice, in µs since 1970
    const loudness = new LevelReporter();
    const microphone = await this.host.microphone({
      workletUrl: this.options.workletUrl,
      deviceId: this.options.deviceId,
      bitrate: this.options.bitrate ?? DEFAULT_BITRATE,
      onframe: (frame: CapturedFrame) => {
        began ??= Math.floor((this.host.date() - FRAME_MS) * 1000);
        if (run.broadcast.ended) return;
        const report = loudness.frame(frame.rms);
        if (report) run.broadcast.report(this.host.date(), report);
        run.broadcast.add(began + frame.timestampUs, frame.packet);
      },
      onended: (error) => {
        if (this.run === run) this.failed(soundFailure(error));
      },
    });
    if (this.run !== run) return microphone.close(); // stopped meanwhile
    microphone.muted = this.silent;
    run.microphone = microphone;
  }

  setMuted(muted: boolean): void {
    if (muted === this.silent) return;
    this.silent = muted;
    if (this.run?.microphone) this.run.microphone.muted = muted;
    this.events.emit("muted", muted);
  }

  async stop(): Promise<void> {
    this.settle?.reject(new Failure("unreachable", "stopped"));
    this.settle = undefined;
    const { run } = this;
    this.run = undefined;
    this.why = undefined;
    this.changed();
    if (run) await leave(run);
  }

  failed(failure: Failure): void {
    if (this.why) return;
    this.why = failure;
    const { run } = this;
    this.run = undefined;
    this.settle?.reject(failure);
    this.settle = undefined;
    this.changed();
    if (run) void leave(run);
  }

  // What becomes of the sessions. They publish by themselves.

  up(): void {
    this.settle?.resolve();
    this.settle = undefined;
  }

  down(): void {
    // nothing is kept of a session
  }

  async serve(line: Line): Promise<void> {
    await line.session?.closed;
  }

  order(): void {
    // only to the tick, which the roamer sees to
  }

  hopped(hop: Hopped): void {
    const { run } = this;
    if (!run) return;
    const atMs = run.roamer.now() - run.began;
    this.events.emit("hop", { atMs, from: hop.from, to: hop.to, cause: hop.cause, tookMs: hop.took, lost: 0 });
  }

  room(state: RoomState): void {
    if (this.run) this.events.emit("room", state);
  }

  woke(): void {
    this.changed();
  }

  changed(): void {
    const state = this.situation();
    if (state === this.shown) return;
    this.shown = state;
    this.events.emit("state", state);
  }

  private situation(): TalkerState {
    const { run } = this;
    if (this.why) return "failed";
    if (!run) return "idle";
    if (!run.microphone) return "asking";
    if (run.pair.live().length > 0) return "live";
    return run.roamer.wasUp ? "reconnecting" : "connecting";
  }
}

/** Ends the broadcast in order: frames, then the announcement of the end, then the sessions. */
async function leave(run: Run): Promise<void> {
  await run.microphone?.close();
  run.broadcast.end();
  if ([...run.roamer.sessions()].length > 0) await new Promise((over) => setTimeout(over, LEAVE_WITHIN));
  run.roamer.stop();
}
