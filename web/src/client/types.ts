/**
 * What a page sees of a room: {@link Listener} hears it, {@link Talker} speaks in
 * it. Everything that happens comes as an event; every property is what it was at
 * the last event.
 */

import type { Prepared } from "./prepare";

/** Why a session moved to another relay (docs/hops.md). */
export type HopCause = "drain" | "load" | "closed" | "silence" | "network" | "better";

/** A hop that is over. */
export interface Hop {
  /** When it ended, in ms since the listener started. */
  atMs: number;
  from: string;
  to: string;
  cause: HopCause;
  /** From noticing the cause until the new relay first brought something, in ms. */
  tookMs: number;
  /** Frames of 20 ms that were not heard for it. */
  lost: number;
}

/** How something failed, in terms a page can put into words and act on. */
export type FailureKind =
  /**
   * No relay could be reached: offline, wrong address, UDP and WebSocket both blocked,
   * a certificate that is not the one that the lobby named. Browsers do not say which.
   */
  | "unreachable"
  /** The token is missing, wrong or expired. */
  | "unauthorized"
  /** The token allows to listen, not to speak. */
  | "forbidden"
  /** Somebody else speaks under this name. */
  | "name-taken"
  /** The hosts have removed this person, who may come back to listen. */
  | "removed"
  /** The hosts have banned this person from the room. */
  | "banned"
  /** The room has ended, for good. */
  | "ended"
  /** This browser cannot do what is needed; message names it. */
  | "unsupported"
  /** The microphone was refused by the person or the system. */
  | "microphone-refused"
  /** There is no microphone, or another program keeps it. */
  | "microphone-missing"
  /** It was unplugged or taken away while in use. */
  | "microphone-lost"
  /** A relay answered what is not moq-lite or not Stentor's HTTP. */
  | "protocol";

/** An error of this library. */
export class Failure extends Error {
  override readonly name = "Failure";
  constructor(
    readonly kind: FailureKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A listener's state.
 *
 * - `idle`: not started, or stopped.
 * - `connecting`: looking for a relay.
 * - `queued`: the network is full; `retryAtMs` says when the next try is.
 * - `waiting`: connected, and nobody is live in the room.
 * - `playing`: connected to a room with somebody in it, whether or not they say something.
 * - `locked`: the browser wants a gesture before it lets sound out; call {@link Listener.resume} from one.
 * - `interrupted`: the system took the sound away, as iOS does for a call; it comes back by itself or by `resume`.
 * - `reconnecting`: no relay carries the room at this moment; it goes on by itself.
 * - `failed`: it will not work without a change; `failure` says why.
 */
export type ListenerState =
  | "idle"
  | "connecting"
  | "queued"
  | "waiting"
  | "playing"
  | "locked"
  | "interrupted"
  | "reconnecting"
  | "failed";

/** Somebody who is live in the room. */
export interface SpeakerView {
  name: string;
  /** How loud now, 0 (silent) to 1 (full scale), smoothed for the eye. */
  level: number;
  /** Whether something is heard of them now. */
  speaking: boolean;
  /** Muted here, by this listener. */
  muted: boolean;
  /** 0 to 2; 1 is as sent. */
  volume: number;
}

/** Counts of one speaker's track, in frames of 20 ms, as `stentor listen --stats` has them. */
export interface TrackStats {
  speaker: string;
  first: number;
  last: number;
  expected: number;
  played: number;
  lost: number;
  concealed: number;
  repaired: number;
  duplicate: number;
  late: number;
}

/** What {@link Listener.stats} returns. */
export interface ListenerStats {
  room: string;
  durationMs: number;
  /** The relay in use, and the one that stands by; empty if there is none. */
  relay: string;
  standby: string;
  transport: "webtransport" | "websocket" | "";
  /** From the speaker's frame to this loudspeaker, as far as it is known: the playout delay in use. */
  delayMs: number;
  rttMs: number | undefined;
  /** Samples the sound card asked for and did not get in time, since the start. */
  underruns: number;
  tracks: TrackStats[];
  hops: Hop[];
}

/** What a {@link Listener} tells, by `on(event, handler)`. */
export interface ListenerEvents {
  state: ListenerState;
  /** Somebody came, went, or changed; levels change without it (read `speakers` per animation frame). */
  speakers: readonly SpeakerView[];
  /** A hop, two seconds after its end: then it is known what was lost for it. */
  hop: Hop;
  /** Listeners in the room, network-wide, when it becomes known or changes. */
  listeners: number;
  /** What the room is, at first and whenever that changes. */
  room: RoomState;
}

/** How to listen. */
export interface ListenOptions {
  /** HTTP address of any relay of the network, such as `https://a.example:4443`; default: where the page came from. */
  lobby?: string;
  room: string;
  token?: string;
  /** Playout delay in ms; default 200, or 320 with packets of 120 ms. */
  delayMs?: number;
  /** Packet length in ms; default: what the lobby recommends. */
  packet?: 20 | 60 | 120;
  /** Zone the listener is in, if known. */
  zone?: string;
  /** Keep no second session ready (for batteries); a hop is then heard for a moment. */
  noStandby?: boolean;
  /** Only this transport instead of racing both. */
  transport?: "webtransport" | "websocket";
  /** URL of the built worklet; default: beside the page's own assets. */
  workletUrl?: string;
  /** What `prepareListener` has asked for ahead, so that sound comes sooner after the gesture. */
  prepared?: Prepared;
  /** Keep what is played for {@link Listener.recorded}; for tests. */
  record?: boolean;
  /** Of who may also speak, see {@link TalkOptions.hopId}. */
  hopId?: number;
}

/** Hears a room. */
export interface Listener {
  readonly state: ListenerState;
  readonly failure: Failure | undefined;
  /** When the next try is, in `performance.now()` ms, while `queued`. */
  readonly retryAtMs: number | undefined;
  readonly speakers: readonly SpeakerView[];
  /** Listeners network-wide, if the relay says. */
  readonly listeners: number | undefined;
  /** What the room is, once a relay has said it. */
  readonly room: RoomState | undefined;
  /** HTTP addresses of relays of the network, as far as they are known; the page's own first. */
  readonly lobbies: readonly string[];
  /** 0 to 1. */
  volume: number;
  muted: boolean;
  /**
   * Whoever listens also speaks, now: they hear everybody on stage and not only the
   * loudest, and 40 ms sooner. Default false.
   */
  interactive: boolean;
  /** Begins; call it from a gesture so that sound may come out. Resolves when connected, rejects with a {@link Failure}. */
  start(): Promise<void>;
  /** Tries again to let sound out; call it from a gesture. */
  resume(): Promise<void>;
  /** Ends every session; may be started again. */
  stop(): Promise<void>;
  muteSpeaker(name: string, muted: boolean): void;
  setSpeakerVolume(name: string, volume: number): void;
  stats(): ListenerStats;
  /** What the worklet has put out since the last start (mono, at the sound card's rate), if `record`; outlives `stop`. */
  recorded(): Promise<Float32Array>;
  /** Calls handler on each event until the returned function is called. */
  on<E extends keyof ListenerEvents>(event: E, handler: (value: ListenerEvents[E]) => void): () => void;
}

/**
 * A talker's state: `idle`; `asking` (for the microphone); `connecting`; `live`;
 * `reconnecting` (no relay at this moment, goes on by itself); `failed`.
 */
export type TalkerState = "idle" | "asking" | "connecting" | "live" | "reconnecting" | "failed";

/** What a {@link Talker} tells. */
export interface TalkerEvents {
  state: TalkerState;
  hop: Hop;
  muted: boolean;
  /** What the room is, at first and whenever that changes. */
  room: RoomState;
}

/** How to speak. */
export interface TalkOptions {
  lobby?: string;
  room: string;
  /** The name others see; one path segment. */
  name: string;
  token?: string;
  zone?: string;
  /** Bits per second; default 32000. */
  bitrate?: number;
  /** A microphone's `deviceId`; default: the system's. */
  deviceId?: string;
  transport?: "webtransport" | "websocket";
  workletUrl?: string;
  /**
   * A whole number from 1 to 2^53-1 by which relays know this voice; default: one drawn
   * at random. Given to a listener of the same page as well, it keeps relays from
   * sending that the own voice.
   */
  hopId?: number;
}

/** Speaks in a room, over two relays at once. */
export interface Talker {
  readonly state: TalkerState;
  readonly failure: Failure | undefined;
  readonly muted: boolean;
  /** How loud the microphone is now, 0 to 1; also while muted. */
  readonly level: number;
  /** The relays in use, best first. */
  readonly relays: readonly string[];
  /** HTTP addresses of relays of the network, as far as they are known; the page's own first. */
  readonly lobbies: readonly string[];
  /** Asks for the microphone and goes live; call it from a gesture. */
  start(): Promise<void>;
  /** Mutes or unmutes; takes effect at the end of the bundle under way (≤ 120 ms). */
  setMuted(muted: boolean): void;
  stop(): Promise<void>;
  on<E extends keyof TalkerEvents>(event: E, handler: (value: TalkerEvents[E]) => void): () => void;
}

/** Somebody on the stage of a room. */
export interface StageMember {
  name: string;
  /** "host", "cohost" or "speaker". */
  role: string;
  /** By a host, or by a command of their own: what they say is not passed on. */
  muted: boolean;
  /** What rooms know them by; only hosts and co-hosts are told. */
  subject?: string;
}

/** What somebody is in a room, as it tells them alone (docs/rooms.md). */
export interface You {
  /** "host", "cohost", "speaker" or "listener". */
  role: string;
  /** Who has muted them, if anybody has. */
  muted: "self" | "host" | undefined;
  /** Where in the room's `stage` they are, from 1; 0: not there. */
  place: number;
  /** Where in the queue their hand is, from 1; 0: it is down. */
  hand: number;
  /** The name to speak under if the token says none; empty for who is not on the stage. */
  voice: string;
  /** How often they were removed: if that has grown since they came, they have to go. */
  removed: number;
  banned: boolean;
}

/** Somebody whose hand is up. */
export interface RaisedHand {
  /** What rooms know them by. */
  subject: string;
  /** The name to show. */
  name: string;
}

/** What everybody may know of a room (docs/rooms.md). */
export interface RoomState {
  room: string;
  /** `announced` (before its start), `live`, `ended`, or `unknown` where nobody is live. */
  state: string;
  title?: string;
  /** When it begins, in ms since 1970, if it was announced. */
  startsMs?: number;
  /** Grows with each change; 0 is a room that nobody has made. */
  version: number;
  /** By rank, then by name. */
  stage: StageMember[];
  /** How many hands are up. */
  hands: number;
  /** What the owner of the token is there; absent where the relay does not know who asks. */
  you?: You;
}

/** A room as a relay tells it. */
export interface RoomView extends RoomState {
  listeners: number;
  speakers: { name: string }[];
}
