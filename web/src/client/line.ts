import type { Candidate, Session as Id } from "../hop";
import { type Frame, ResetCode, type Setup } from "../protocol";
import { Scope, abortable, sleep } from "../session/abort";
import { TimeoutError } from "../session/errors";
import type { GroupReader } from "../session/group";
import { Session } from "../session/session";
import type { Sink } from "../session/subscription";
import { failureOf } from "./failure";
import { isFinal } from "./directory";
import { parseRelays } from "./relays";
import type { Roamer } from "./roamer";
import { parseRoomState } from "./room";

// What every session with a Stentor relay has, announced or not: by tick the relay
// says, when it has nothing else to say, that it is still there, and by relays
// where to go on.
const RELAY_BROADCAST = ".stentor/relay";
const TICK_TRACK = "tick";
const RELAYS_TRACK = "relays";
/** What everybody may know of a room, below its name (docs/wire.md, section 19.1). */
const ROOMS_BROADCAST = ".stentor/rooms";
const STATE_TRACK = "state";

/** How long a relay may take to answer and to introduce itself, in ms. */
const DIAL_TIMEOUT = 5000;
/** How long a session must have lived for its relay to count as one that takes this client, in ms. */
const TAKEN_AFTER = 5000;
/** How long a session of no use any more is waited for to say why, in ms. */
const LAST_WORDS = 250;
/** The longest document that is read, in bytes. */
const MAX_DOCUMENT = 64 << 10;

/** A session that the decider wanted, or the attempt at one. */
export class Line {
  /** Undefined while dialling. */
  session: Session | undefined;
  /** The relay's introduction. */
  setup: Setup = {};
  /** Names the transport in use, once there is one. */
  transport: "webtransport" | "websocket" | "" = "";
  /** Whether it sends lists of relays. */
  listed = false;
  /** The least that an answer took, in ms: what is known of the round trip. */
  roundTrip: number | undefined;

  private readonly scope = new Scope();
  private begun: number | undefined; // when the session was there
  private heardAt = 0;
  private leaving: string | undefined; // a GOAWAY came before the session was known
  private listening: Scope | undefined; // to the relay itself

  constructor(
    private readonly r: Roamer,
    readonly id: Id,
    readonly candidate: Candidate,
  ) {
    void this.run();
  }

  /** Ends with the line. */
  get signal(): AbortSignal {
    return this.scope.signal;
  }

  /** Ends the line because nobody wants it any more. */
  close(): void {
    this.scope.end(new DOMException("not needed", "AbortError"));
    this.session?.close(ResetCode.Cancel, "");
  }

  /** Notes that something came. */
  heard(): void {
    this.heardAt = this.r.now();
  }

  /** For how long nothing has, in ms. */
  quiet(): number {
    return this.r.now() - this.heardAt;
  }

  /** For how long there has been a session, in ms; Infinity if there never was. */
  get aliveMs(): number {
    return this.begun === undefined ? Infinity : this.r.now() - this.begun;
  }

  /** Notes how long an answer took, in ms. */
  answered(tookMs: number): void {
    this.roundTrip = Math.min(this.roundTrip ?? tookMs, Math.max(tookMs, 1));
  }

  /** Whether the other end has introduced itself as a Stentor relay: by parameters that nobody else sends. */
  get stentor(): boolean {
    const { datagrams, goaway, packetMs, load } = this.setup;
    return datagrams === true || goaway === true || packetMs !== undefined || load !== undefined;
  }

  /** Whether the relay lets something be heard all the time. */
  get ticks(): boolean {
    return this.stentor && this.listening !== undefined;
  }

  /** Makes the session and has it used until it ends, or until nobody wants it any more. */
  private async run(): Promise<void> {
    const dialled = this.r.now();
    try {
      await this.reach();
    } catch (error) {
      const failure = failureOf(error, this.candidate.name);
      this.session?.close(ResetCode.Cancel, "");
      if (this.r.forget(this, failure)) this.r.step({ kind: "dial-failed", session: this.id, final: isFinal(failure) });
      return;
    }
    const session = this.session!;
    const begun = (this.begun = this.r.now());
    this.answered(begun - dialled);
    if (!this.signal.aborted) {
      this.begin();
      await Promise.race([this.r.owner.serve(this), session.closed]);
      await sleepOr(session.closed, LAST_WORDS, this.signal);
    }
    this.listen(false);
    session.close(ResetCode.Cancel, "");
    const cause = await session.closed;
    this.r.owner.down(this);
    const failure = failureOf(cause, this.candidate.name);
    if (this.r.now() - begun >= TAKEN_AFTER) this.r.directory.tried(this.candidate, undefined);
    if (this.r.forget(this, failure)) this.r.step({ kind: "closed", session: this.id });
    this.scope.end(cause);
  }

  /** Dials, and waits until the relay has introduced itself. */
  private async reach(): Promise<void> {
    const patience = new Scope(this.signal).timeout(DIAL_TIMEOUT, () => new TimeoutError("it does not answer"));
    try {
      const connection = await this.r.connect(this.candidate, patience.signal);
      this.transport = connection.transport === "memory" ? "" : connection.transport;
      const session = new Session(connection, {
        setup: this.r.purpose.setup,
        ...(this.r.purpose.publisher && { publisher: this.r.purpose.publisher }),
        onGoaway: (uri) => this.goaway(uri),
      });
      this.session = session;
      this.setup = await abortable(session.peerSetup, patience.signal);
    } finally {
      patience.release();
    }
  }

  /** Makes the session known. */
  private begin(): void {
    this.heard();
    this.r.up(this);
    this.r.step({ kind: "dialled", session: this.id, ticks: this.stentor });
    if (this.leaving !== undefined) this.goaway(this.leaving);
  }

  /** Notes that the relay asks to leave, perhaps before the session is known to anybody. */
  private goaway(uri: string): void {
    if (!this.r.has(this)) {
      this.leaving = uri;
      return;
    }
    const [to = "", why] = uri.split("#", 2);
    const cause = why === "load" ? "load" : "drain";
    this.r.step({ kind: "goaway", session: this.id, cause, uris: to === "" ? [] : [to], within: 0 });
  }

  /** Begins or ends listening to the relay itself. */
  listen(on: boolean): void {
    if (!on) {
      this.listening?.end(new DOMException("not needed", "AbortError"));
      this.listening = undefined;
    } else if (!this.listening && !this.signal.aborted) {
      this.listening = new Scope(this.signal);
      this.heard(); // until now it had no reason to say anything
      const { signal } = this.listening;
      void this.follow(RELAY_BROADCAST, TICK_TRACK, signal, () => this.ticked());
      void this.follow(RELAY_BROADCAST, RELAYS_TRACK, signal, (frame) => this.list(frame));
      if (this.stentor) void this.follow(`${ROOMS_BROADCAST}/${this.r.purpose.room}`, STATE_TRACK, signal, (frame) => this.room(frame));
      void this.measure(this.listening.signal);
    }
  }

  /** Subscribes to a track of what the relay itself says. A relay that does not have it refuses, which is no fault. */
  private async follow(broadcast: string, track: string, signal: AbortSignal, take: (frame: Frame) => void): Promise<void> {
    try {
      const subscription = await this.session!.subscribe(
        { broadcast, track, priority: 0, ordered: false, maxLatencyMs: 0 },
        newestFrames(take),
        signal,
      );
      await subscription.ended;
    } catch {
      // it says no more
    }
  }

  /** Lets the relay say how long the round trip is, where it does. */
  private async measure(signal: AbortSignal): Promise<void> {
    try {
      for await (const report of this.session!.probe(signal)) {
        if (report.rttMs > 0) this.roundTrip = report.rttMs;
      }
    } catch {
      // it does not
    }
  }

  private ticked(): void {
    this.heard();
    this.r.step({ kind: "ticked", session: this.id });
  }

  /** Takes a list of relays. One that makes no sense changes nothing. */
  private list(frame: Frame): void {
    this.heard();
    try {
      const list = parseRelays(parseDocument(frame));
      this.listed = true;
      this.r.learn(list, this);
    } catch {
      // as if it had not come
    }
  }

  /** Takes what the room is. */
  private room(frame: Frame): void {
    this.heard();
    try {
      this.r.room(this, parseRoomState(parseDocument(frame)));
    } catch {
      // what was said before still holds
    }
  }
}

/** A document that came as JSON. */
function parseDocument(frame: Frame): unknown {
  if (frame.payload.length > MAX_DOCUMENT) throw new Error("too long");
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(frame.payload)) as unknown;
}

/** A sink for tracks whose groups have one frame that matters. */
export function firstFrames(take: (frame: Frame, sequence: number) => void): Sink {
  return {
    datagram: (sequence, frame) => take(frame, sequence),
    async group(group: GroupReader): Promise<void> {
      const frame = await group.next();
      if (frame) take(frame, group.sequence);
      await group.next(); // to the end, or it would be stopped
    },
  };
}

/**
 * A sink for tracks of which each group says all there is to know. Groups have a stream
 * each, and of two that are sent at once the older may be read last: it is left out.
 */
export function newestFrames(take: (frame: Frame) => void): Sink {
  let next = 0;
  return firstFrames((frame, sequence) => {
    if (sequence < next) return;
    next = sequence + 1;
    take(frame);
  });
}

async function sleepOr(p: Promise<unknown>, ms: number, signal: AbortSignal): Promise<void> {
  await Promise.race([p, sleep(ms, signal)]);
}
