/**
 * Stands in for page/client.ts where a test wants to see the page in states that a
 * real network is in rarely or not for long. The test sets them by `double` of
 * the page's global object.
 */
import {
  Failure,
  type FailureKind,
  type Hop,
  type Listener,
  type ListenerEvents,
  type ListenerState,
  type ListenerStats,
  type RaisedHand,
  type RoomState,
  type RoomView,
  type SpeakerView,
  type Talker,
  type TalkerEvents,
  type TalkerState,
} from "../src/client/types";

import { CommandError, type RoomCommand } from "../src/client/command";

import { view } from "./view";

export { CommandError };
export { nameFault } from "../src/client/names";

/** What a test sets. */
export interface Double {
  rooms: RoomView[] | "unreadable";
  room: RoomView | "unreadable";
  /** What comes of pressing the buttons. */
  onstart: ListenerState;
  listener: DoubleListener | undefined;
  talker: DoubleTalker | undefined;
  ontalk: TalkerState;
  failure: FailureKind;
  /** What was commanded, and the code that the next one is refused with. */
  commands: RoomCommand[];
  refuse: string;
  /** Whose hands are up. */
  hands: RaisedHand[];
  /** What the room is for who asks what they are there; undefined: nothing answers. */
  me: RoomState | undefined;
  /** What the room is after each command. */
  oncommand: RoomState | undefined;
}

const double: Double = {
  rooms: [],
  room: view(""),
  onstart: "playing",
  listener: undefined,
  talker: undefined,
  ontalk: "live",
  failure: "unreachable",
  commands: [],
  refuse: "",
  hands: [],
  me: undefined,
  oncommand: undefined,
  ...(globalThis as { doubleBegins?: Partial<Double> }).doubleBegins,
};
Object.assign(globalThis, { double });

type Handlers<E> = { [K in keyof E]?: ((value: E[K]) => void)[] };

class DoubleListener implements Listener {
  state: ListenerState = "idle";
  failure: Failure | undefined;
  retryAtMs: number | undefined;
  speakers: SpeakerView[] = [];
  listeners: number | undefined;
  room: RoomState | undefined;
  readonly lobbies = [];
  volume = 1;
  muted = false;
  interactive = false;
  hops: Hop[] = [];
  lost = 0;
  durationMs = 61_000;
  readonly #handlers: Handlers<ListenerEvents> = {};

  /** Changes some of it, and tells. */
  set(change: Partial<DoubleListener>): void {
    Object.assign(this, change);
    this.#handlers.state?.forEach((handler) => handler(this.state));
  }

  /** Tells what the room is. */
  tell(room: RoomState): void {
    this.room = room;
    this.#handlers.room?.forEach((handler) => handler(room));
  }

  async start(): Promise<void> {
    if (double.onstart === "failed") {
      this.failure = new Failure(double.failure, "as the test wants it");
      this.set({ state: "failed" });
      throw this.failure;
    }
    this.set({ state: double.onstart });
  }

  async resume(): Promise<void> {
    this.set({ state: "playing" });
  }

  async stop(): Promise<void> {
    this.set({ state: "idle" });
  }

  muteSpeaker(name: string, muted: boolean): void {
    this.speakers = this.speakers.map((speaker) => (speaker.name === name ? { ...speaker, muted } : speaker));
  }

  setSpeakerVolume(): void {}

  stats(): ListenerStats {
    const off = this.state !== "playing" && this.state !== "waiting";
    const track = { speaker: "ada", first: 0, last: 3049, expected: 3050, played: 3050 - this.lost, lost: this.lost, concealed: this.lost, repaired: 2, duplicate: 14, late: 0 };
    return {
      room: "town", durationMs: this.durationMs, relay: off ? "" : "relay-a", standby: off ? "" : "relay-b", transport: off ? "" : "webtransport",
      delayMs: off ? 0 : 200, rttMs: off ? undefined : 23, underruns: 0, tracks: off ? [] : [track], hops: this.hops,
    };
  }

  async recorded(): Promise<Float32Array> {
    return new Float32Array();
  }

  on<E extends keyof ListenerEvents>(event: E, handler: (value: ListenerEvents[E]) => void): () => void {
    const all = (this.#handlers[event] ??= []) as ((value: ListenerEvents[E]) => void)[];
    all.push(handler);
    return () => all.splice(all.indexOf(handler), 1);
  }
}

class DoubleTalker implements Talker {
  state: TalkerState = "idle";
  failure: Failure | undefined;
  muted = false;
  level = 0.2;
  relays = ["relay-a", "relay-b"];
  readonly lobbies = [];
  readonly #handlers: Handlers<TalkerEvents> = {};

  set(state: TalkerState): void {
    this.state = state;
    this.#handlers.state?.forEach((handler) => handler(state));
  }

  async start(): Promise<void> {
    if (double.ontalk === "failed") {
      this.failure = new Failure(double.failure, "as the test wants it");
      this.set("failed");
      throw this.failure;
    }
    this.set(double.ontalk);
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.#handlers.muted?.forEach((handler) => handler(muted));
  }

  async stop(): Promise<void> {
    this.set("idle");
  }

  on<E extends keyof TalkerEvents>(event: E, handler: (value: TalkerEvents[E]) => void): () => void {
    const all = (this.#handlers[event] ??= []) as ((value: TalkerEvents[E]) => void)[];
    all.push(handler);
    return () => all.splice(all.indexOf(handler), 1);
  }
}

export function createListener(): Listener {
  return (double.listener = new DoubleListener());
}

export function createTalker(): Talker {
  return (double.talker = new DoubleTalker());
}

export async function fetchRoom(): Promise<RoomView> {
  if (double.room === "unreadable") throw new Failure("unreachable", "as the test wants it");
  return double.room;
}

export async function fetchRooms(): Promise<RoomView[]> {
  if (double.rooms === "unreadable") throw new Failure("unreachable", "as the test wants it");
  return double.rooms;
}

export async function commandRoom(_lobbies: readonly string[], room: string, command: RoomCommand): Promise<RoomState> {
  if (double.refuse !== "") throw new CommandError(double.refuse, "as the test wants it");
  double.commands.push(command);
  return double.oncommand ?? (double.room === "unreadable" ? view(room) : double.room);
}

export async function fetchHands(): Promise<RaisedHand[]> {
  return double.hands;
}

export async function fetchMe(): Promise<RoomState> {
  if (double.me === undefined) throw new CommandError("unreachable", "as the test wants it");
  return double.me;
}

export function prepareListener(): { stale(): boolean } {
  return { stale: () => false };
}
