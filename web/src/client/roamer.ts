import type { Candidate, Effect, Event, Hopped, Session as Id } from "../hop";
import { TICK } from "../hop";
import type { Setup } from "../protocol";
import { abortable, sleep } from "../session/abort";
import type { Connection } from "../session/connection";
import type { Publisher } from "../session/publisher";
import { Custody, mayKeep } from "./custody";
import { Directory } from "./directory";
import { failureOf } from "./failure";
import type { Host, Reach } from "./host";
import { Inquiry } from "./inquiry";
import { Line } from "./line";
import { knock } from "./lobby";
import { Lookout } from "./lookout";
import { type RelayList, LONGEST_RETRY } from "./relays";
import { maySpeak, tokenFault } from "./token";
import { Failure, type RoomState, type You } from "./types";

/** How long the first answer of a lobby is waited for, in ms: a page that opens has time for a slow network. */
const FIRST_LOBBY_TIMEOUT = 5000;
/** How long ago a relay must have said something to be alive, in ms: of five ticks one should have come. */
const ALIVE_FOR = 1000;
/** How long no relay may take this client at the beginning, in ms. */
const CONNECT_TIMEOUT = 10_000;
/**
 * The same while a lobby says where to go, in ms: the network is there, and its doors
 * may be crowded, which browsers do not say of a handshake.
 */
const ANSWERED_TIMEOUT = 30_000;

/**
 * For how long after it was told to wait a client that comes and is refused takes
 * that for the same crowd at the door: browsers do not say that a handshake was
 * refused.
 */
const CROWDED_FOR = 60_000;
/** How long nothing of this page must have run for it to have slept, in ms. Hidden pages run once a second. */
const SLEPT_AFTER = 2000;
/**
 * How long the answer to why the last session was ended is waited for before another
 * is begun, in ms: whoever was removed does not come back by itself.
 */
const WHY_PATIENCE = 500;
/** How soon a relay drops a session that it does not want, in ms. */
const DROPPED_WITHIN = 2000;
/** How often a page looks whether it has slept, and whether a relay still carries it, in ms. */
const HEARTBEAT = 1000;
/** How long a session may bring nothing, not even a tick, and still carry a client, in ms. */
const CARRIES_FOR = 1500;

/** Says which relays to have sessions with: a Machine for a listener, a Pair for a talker. */
export interface Decider {
  step(now: number, event?: Event): readonly Effect[];
  deadline(): number | undefined;
}

/** What the sessions are for. */
export interface Purpose {
  readonly does: "listen" | "speak";
  readonly room: string;
  /** The name to speak under. */
  readonly name: string | undefined;
  readonly token: string | undefined;
  readonly zone: string | undefined;
  readonly transport: "webtransport" | "websocket" | undefined;
  /** No second session is wanted, whatever relays ask. */
  readonly noStandby?: boolean | undefined;
  readonly setup: Setup;
  readonly publisher: Publisher | undefined;
}

/** What uses the sessions. */
export interface Owner {
  /** A session is there; `down` forgets it. */
  up(line: Line): void;
  down(line: Line): void;
  /** Uses a session until it is of no use any more; its signal ends it. */
  serve(line: Line): Promise<void>;
  /** Subscribes and unsubscribes as the decider says; the line is up. */
  order(effect: Extract<Effect, { kind: "subscribe" | "unsubscribe" }>, line: Line): void;
  hopped(hop: Hopped): void;
  /** A relay has said what the room is. */
  room(state: RoomState): void;
  /** No relay will ever take this client. */
  failed(failure: Failure): void;
  /** Something is not as it was: connected, queued. */
  changed(): void;
  /** The page slept until now. */
  woke(): void;
}

/**
 * Has the sessions that its decider wants. It tells the decider what happens and
 * carries out what that decides, with one timer; what the sessions are for is its
 * owner's.
 */
export class Roamer {
  readonly directory: Directory;
  /** Of the newest attempt or session that failed. */
  lastFailure: Failure | undefined;
  /** When the lobby is asked again, in the host's ms, while the network is full. */
  retryAt: number | undefined;
  private toldToWaitAt = -Infinity;
  /** Whether the lobby has said where to go, when it was asked last. */
  private sentOn = false;

  private readonly lines = new Map<Id, Line>();
  private readonly ups = new Set<Line>();
  private readonly over = new AbortController();
  private readonly began: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dueAt: number | undefined; // what the timer is set for
  private retry: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private unwatch: () => void = () => {};

  private seenAt: number; // when something of this page last ran
  private slept = 0; // ms that the decider does not count
  private cold = false; // relays have little to spare
  private asking = false;
  private askAt = -Infinity;
  private everUp = false;
  private removed: number | undefined; // how often this person had been when it came
  private wondering: Promise<void> | undefined; // why the last session was ended
  private readonly inquiry: Inquiry;
  private readonly custody: Custody | undefined;
  private readonly lookout: Lookout;

  constructor(
    private readonly host: Host,
    private readonly decider: Decider,
    readonly purpose: Purpose,
    readonly owner: Owner,
    lobby: URL,
  ) {
    this.directory = new Directory(lobby, purpose.room);
    this.lookout = new Lookout(host.random);
    this.inquiry = new Inquiry(host, purpose, this.directory, this.over.signal);
    if (mayKeep(purpose.token, purpose.does)) this.custody = new Custody(host, this, this.over.signal);
    this.began = this.seenAt = host.now();
  }

  /** Begins: the lobby is asked, unless that was done ahead, and whoever it names is dialled. */
  start(prepared?: Promise<RelayList | undefined>): void {
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT);
    this.unwatch = this.host.watch({ moved: () => this.moved(), shown: () => this.now() });
    this.patience();
    if (!prepared) return void this.ask(FIRST_LOBBY_TIMEOUT);
    void prepared.then((list) => {
      if (this.over.signal.aborted) return;
      if (list) this.answered(list);
      else void this.ask(FIRST_LOBBY_TIMEOUT);
    });
  }

  /** Ends every session. */
  stop(): void {
    if (this.over.signal.aborted) return;
    this.over.abort(new DOMException("stopped", "AbortError"));
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    clearInterval(this.heartbeat);
    this.unwatch();
    for (const line of [...this.lines.values()]) this.drop(line);
  }

  /** The host's clock, in ms. Looking at it also tells whether the page has slept. */
  now(): number {
    const now = this.host.now();
    const gap = now - this.seenAt;
    this.seenAt = now;
    if (gap > SLEPT_AFTER && !this.over.signal.aborted) {
      this.slept += gap; // what the relays said meanwhile is still to be read
      queueMicrotask(() => {
        this.owner.woke();
        this.step({ kind: "now" });
      });
    }
    return now;
  }

  /** Whether anything that the page wakes for may have been slept through, and whether relays are there. */
  private beat(): void {
    const now = this.now();
    if (this.everUp && this.lookout.look([...this.ups].some((line) => this.carries(line)), now)) void this.ask();
  }

  /** Whether a relay carries what the session is for: one that sends ticks has sent something lately. */
  carries(line: Line): boolean {
    return this.ups.has(line) && (!line.ticks || line.quiet() < CARRIES_FOR);
  }

  /** The time that the decider is told: ms since the beginning without those slept through. */
  age(): number {
    return this.now() - this.began - this.slept;
  }

  /** Whether a relay has taken this client, now or before. */
  get wasUp(): boolean {
    return this.everUp;
  }

  /** The sessions there are. */
  sessions(): Iterable<Line> {
    return this.ups;
  }

  line(id: Id): Line | undefined {
    return this.lines.get(id);
  }

  /** Whether a line is up and still wanted. */
  has(line: Line): boolean {
    return this.ups.has(line);
  }

  /** Tells the decider what happened and does what it says. */
  step(event: Event): void {
    if (this.over.signal.aborted) return;
    const effects = [...this.decider.step(this.age(), event)];
    for (const effect of effects) this.do(effect);
    this.wakeAt(this.decider.deadline());
    const usual = event.kind === "arrived" || event.kind === "ticked" || event.kind === "now";
    if (!usual || effects.length > 0) this.owner.changed();
  }

  /**
   * Has the decider looked at again at a time to come (age in ms), if at all. Browsers
   * count whole ms and cut off the rest: a timer that is not rounded up comes too
   * soon, and again and again until it is time.
   */
  private wakeAt(at: number | undefined): void {
    if (at === this.dueAt) return; // with most packets it stays
    clearTimeout(this.timer);
    this.dueAt = at;
    if (at === undefined) return;
    this.timer = setTimeout(() => {
      this.dueAt = undefined;
      this.step({ kind: "now" });
    }, Math.max(Math.ceil(at - this.age()), 0));
  }

  private do(effect: Effect): void {
    switch (effect.kind) {
      case "dial":
        this.lines.set(effect.session, new Line(this, effect.session, effect.candidate));
        return;
      case "close": {
        const line = this.lines.get(effect.session);
        if (line) this.drop(line);
        return;
      }
      case "ask-lobby":
        if (this.host.now() >= this.askAt && !this.informed()) void this.ask();
        return;
      case "hopped":
        return this.owner.hopped(effect);
      default: {
        const line = this.lines.get(effect.session);
        if (!line || !this.ups.has(line)) return;
        if (effect.track === TICK) line.listen(effect.kind === "subscribe");
        this.owner.order(effect, line);
      }
    }
  }

  private drop(line: Line): void {
    this.custody?.forget(line);
    this.lines.delete(line.id);
    this.ups.delete(line);
    line.close();
  }

  /** Connects to a relay, as soon as it is known that nobody has shown this client out. */
  async connect(c: Candidate, signal: AbortSignal): Promise<Connection> {
    if (this.wondering) await abortable(this.wondering, signal);
    const url = new URL(c.url);
    if (this.purpose.token) url.searchParams.set("jwt", this.purpose.token);
    const { transport } = this.purpose;
    return this.host.connect(url.href, { hashes: c.hashes ?? [], transport, knock: this.knocker(c), signal });
  }

  /** What shows a relay that this client may go first, if it may. */
  private knocker(c: Candidate): Reach["knock"] {
    const { does, room, token = "", name } = this.purpose;
    if (does === "listen" && !maySpeak(token)) return undefined;
    return async (signal) => {
      if (this.directory.asks(c) === undefined) await this.inquiry.recognise();
      const at = this.directory.asks(c);
      return at !== undefined && knock(at, { room, token, name }, { fetch: this.host.fetch, signal });
    };
  }

  /** Makes a session known to its owner. */
  up(line: Line): void {
    this.ups.add(line);
    this.everUp = true;
    this.retryAt = undefined;
    this.directory.tried(line.candidate, undefined);
    this.owner.up(line);
  }

  /**
   * Forgets a line that has ended, with why. False if the decider was the one who
   * wanted the end, and so need not be told.
   */
  forget(line: Line, failure: Failure): boolean {
    this.custody?.forget(line);
    this.ups.delete(line);
    if (this.lines.get(line.id) !== line || this.over.signal.aborted) return false;
    this.lines.delete(line.id);
    this.failed(line, failure);
    return !this.over.signal.aborted;
  }

  /**
   * Notes why an attempt or a session ended for no reason of ours, and ends
   * everything if nobody can ever take this client.
   */
  private failed(line: Line, failure: Failure): void {
    this.lastFailure = failure.kind === "unreachable" ? (this.refusal() ?? failure) : failure;
    this.directory.tried(line.candidate, this.lastFailure);
    if (isVerdict(this.lastFailure)) return this.fail(this.lastFailure); // of the room, whichever relay says it
    if (this.ups.size > 0) return;
    const why = isRefusal(this.lastFailure) ? this.lastFailure : this.directory.hopeless();
    if (why) this.fail(why);
    else if (failure.kind === "unreachable") this.wonder(line.aliveMs);
  }

  /**
   * Asks why nobody lets this client in, and gives up if that is for good. Relays show
   * out only whom a token names; then nothing is dialled for a moment.
   */
  private wonder(aliveMs: number): void {
    const dropped = aliveMs === Infinity ? undefined : aliveMs < DROPPED_WITHIN ? "soon" : "later";
    const asked = this.inquiry.why(dropped, this.removed).then((why) => {
      if (why && !this.over.signal.aborted && (this.ups.size === 0 || isVerdict(why))) this.fail(why);
    });
    if (dropped === undefined || !this.purpose.token) return;
    const wondering = Promise.race([asked, sleep(WHY_PATIENCE, this.over.signal)]).then(() => {
      if (this.wondering === wondering) this.wondering = undefined;
    });
    this.wondering = wondering;
  }

  /** What is wrong with the token, where that can be seen: browsers do not say why a relay refused. */
  private refusal(): Failure | undefined {
    return tokenFault(this.purpose.token, this.host.date());
  }

  private fail(failure: Failure): void {
    this.stop();
    this.owner.failed(failure);
  }

  /** Fails if no relay takes this client at the beginning, other than that the network is full. */
  private patience(): void {
    const timer = setTimeout(() => {
      if (this.everUp || this.over.signal.aborted) return;
      const now = this.host.now();
      if (this.retryAt !== undefined || now - this.toldToWaitAt < CROWDED_FOR) return this.patience();
      if (this.sentOn && now - this.began < ANSWERED_TIMEOUT) return this.patience();
      this.fail(this.lastFailure ?? new Failure("unreachable", `${this.directory.lobby.host}: no relay answers`));
    }, CONNECT_TIMEOUT);
    this.over.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  /** Takes a list of relays: a lobby's, or that of the relay of a line. */
  learn(list: RelayList, by?: Line): void {
    if (this.directory.learn(list)) this.tellCandidates();
    for (const line of [...this.ups]) {
      if (line !== by && list.gone.includes(line.candidate.name)) this.step({ kind: "gone", session: line.id });
    }
    if (by === undefined || list.cold === this.cold || this.purpose.does !== "listen") return;
    this.cold = list.cold;
    this.step({ kind: "set-cold", cold: list.cold || (this.purpose.noStandby ?? false) });
  }

  private tellCandidates(): void {
    this.step({ kind: "candidates", candidates: this.directory.candidates() });
  }

  /** Asks the known lobbies in turn, once at a time. */
  private async ask(timeout?: number): Promise<void> {
    if (this.asking || this.over.signal.aborted) return;
    this.asking = true;
    try {
      const exclude = [...this.ups].filter((line) => this.carries(line)).map((line) => line.candidate.name);
      const list = await this.inquiry.relays(exclude, timeout);
      if (!this.over.signal.aborted) this.answered(list);
    } catch (error) {
      this.unanswered(failureOf(error, this.directory.lobby.host));
    } finally {
      this.asking = false;
    }
  }

  private answered(list: RelayList): void {
    this.askAt = this.host.now() + list.retryAfterMs;
    const back = this.lookout.answered();
    this.sentOn = list.relays.length > 0;
    if (list.relays.length > 0) {
      this.retryAt = undefined;
      this.learn(list);
      if (back) this.moved(); // every session there was is lost, and every relay may be dialled
      if (!this.directory.recognised) {
        void this.inquiry.recognise().then(() => this.tellCandidates());
      }
    } else if (list.retryAfterMs > 0 && this.lines.size === 0) {
      this.queue(list.retryAfterMs);
    } else if (this.directory.candidates().length > 0) {
      this.tellCandidates();
    }
    this.owner.changed();
  }

  private unanswered(failure: Failure): void {
    if (this.over.signal.aborted) return;
    if (!this.everUp) this.lastFailure = failure;
    this.lookout.unanswered();
    this.sentOn = false;
    const retryMs = (failure as { retryAfterMs?: number }).retryAfterMs ?? 0;
    if (retryMs > 0 && this.lines.size === 0 && !this.everUp) this.queue(Math.min(retryMs, LONGEST_RETRY));
    else this.tellCandidates();
    this.owner.changed();
  }

  /** Waits before the lobby is asked again, each client a little longer by its own measure. */
  private queue(ms: number): void {
    const wait = ms * (1 + this.host.random() / 4);
    this.toldToWaitAt = this.host.now();
    this.retryAt = this.toldToWaitAt + wait;
    this.askAt = -Infinity;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.ask(), wait);
  }

  /**
   * Whether a relay that is alive tells who there is as soon as that changes: a
   * lobby knows no more, and one that is alone would be asked by everybody for ever.
   */
  private informed(): boolean {
    return [...this.ups].some((line) => line.listed && line.quiet() < ALIVE_FOR);
  }

  /** Takes what the relay of a line says of the room. */
  room(line: Line, state: RoomState): void {
    this.custody?.said(line, state);
    this.owner.room(state);
    if (state.you && !this.over.signal.aborted) this.judged(state.you);
  }

  /** Goes if the room has removed this person since they came, or banned them: the session is about to end. */
  private judged({ removed, banned }: You): void {
    this.removed ??= removed;
    if (banned) this.fail(new Failure("banned", "banned from this room"));
    else if (removed > this.removed) this.fail(new Failure("removed", "removed by its hosts"));
  }

  private moved(): void {
    this.step({ kind: "network-changed" });
  }
}

/** Whether a failure is a relay's no to whoever asks with this token under this name. */
function isRefusal(failure: Failure): boolean {
  return failure.kind === "unauthorized" || failure.kind === "forbidden" || failure.kind === "name-taken";
}

/** Whether a failure is the room's no to this person. */
function isVerdict(failure: Failure): boolean {
  return failure.kind === "removed" || failure.kind === "banned" || failure.kind === "ended";
}
