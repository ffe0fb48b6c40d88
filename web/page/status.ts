import type { FailureKind, Hop, ListenerState, ListenerStats, RoomView, TalkerState } from "../src/client/types";
import type { Key } from "./languages/en";
import type { Filling, Words } from "./text";

/** What the page knows when it has to say how things are. */
export interface Situation {
  state: ListenerState;
  failure: FailureKind | undefined;
  /** Whether the link has a token. */
  token: boolean;
  /** Whether somebody is known to be live in the room. */
  live: boolean;
  /** Whether it was listened to before. */
  stopped: boolean;
  muted: boolean;
  /** Whole seconds until the next try, while queued. */
  seconds: number;
}

/** What the big button does. */
export type Deed = "start" | "stop" | "resume" | "again";

/** What a situation looks like: the sentence, what the button does, and whether it is trouble. */
export interface Appearance {
  status: Key;
  deed: Deed;
  button: Key;
  tone: "calm" | "busy" | "trouble";
}

/** Puts a listener's situation into words. */
export function appearance(s: Situation): Appearance {
  switch (s.state) {
    case "idle":
      return { status: idleStatus(s), deed: "start", button: "listen.start", tone: "calm" };
    case "locked":
    case "interrupted":
      return { status: `status.${s.state}`, deed: "resume", button: "listen.sound", tone: "trouble" };
    case "failed":
      return { status: failureKey(s.failure ?? "unreachable", "listen", s.token), deed: "again", button: "listen.again", tone: "trouble" };
    case "connecting":
    case "queued":
    case "reconnecting":
      return { status: `status.${s.state}`, deed: "stop", button: "listen.stop", tone: "busy" };
    case "waiting":
      return { status: "status.waiting", deed: "stop", button: "listen.stop", tone: "calm" };
    case "playing":
      return { status: s.muted ? "status.playing.muted" : "status.playing", deed: "stop", button: "listen.stop", tone: "calm" };
  }
}

function idleStatus(s: Situation): Key {
  if (s.stopped) return "status.idle.stopped";
  return s.live ? "status.idle" : "status.idle.silent";
}

/** What to say about a failure, which depends on what was wanted and with which link. */
export function failureKey(kind: FailureKind, wanted: "listen" | "talk", token: boolean): Key {
  if (kind === "unauthorized" && token) return "failure.unauthorized.token";
  if (kind === "forbidden" && wanted === "talk") return "failure.forbidden.talk";
  return `failure.${kind}`;
}

/** What to say to somebody at the microphone; undefined while there is nothing to say. */
export function talkStatus(state: TalkerState, muted: boolean): Key | undefined {
  switch (state) {
    case "idle":
    case "failed":
      return undefined;
    case "live":
      return muted ? "talk.muted" : "talk.live";
    default:
      return `talk.${state}`;
  }
}

/** What a room is before one listens to it. */
export function roomStatus(state: RoomView["state"] | undefined): Key {
  if (state === "live") return "room.live";
  return state === "ended" ? "room.ended" : "room.notlive";
}

/** Length of a packet of a speaker, in seconds. */
const frameSeconds = 0.02;

/** How much of what was said was lost, in seconds. */
export function lostSeconds(frames: number): number {
  return frames * frameSeconds;
}

/** How long a hop stays the news of the line, in ms. */
const newsMs = 12_000;

/** The discreet line: relay, delay, losses and hops; right after a hop it begins with that. */
export function connectionLine(stats: ListenerStats, words: Words): string[] {
  if (stats.relay === "") return [words.say("line.off")];
  const delay = words.say("line.delay", { seconds: words.number(stats.delayMs / 1000, 1) });
  const last = stats.hops.at(-1);
  if (last !== undefined && stats.durationMs - last.atMs < newsMs) {
    return [loss(words, "line.moved.none", "line.moved", last.lost, { relay: last.to }), delay];
  }
  const lost = stats.tracks.reduce((sum, track) => sum + track.lost, 0);
  const line = [stats.relay, delay, loss(words, "line.lost.none", "line.lost", lost)];
  if (stats.hops.length > 0) line.push(words.count("line.hops", stats.hops.length));
  return line;
}

/** A hop in a sentence; startedAt is when listening began. */
export function hopLine(hop: Hop, startedAt: Date, words: Words): string {
  const time = new Date(startedAt.getTime() + hop.atMs).toLocaleTimeString(words.tag);
  return loss(words, "detail.hop.none", "detail.hop", hop.lost, { time, from: hop.from || "–", to: hop.to, cause: words.say(`cause.${hop.cause}`) });
}

function loss(words: Words, none: Key, some: Key, frames: number, filling: Filling = {}): string {
  return frames === 0 ? words.say(none, filling) : words.say(some, { ...filling, seconds: words.number(lostSeconds(frames), 2) });
}

/** A duration as 0:59, 12:00 or 1:02:03. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds)}` : `${Math.floor(minutes / 60)}:${two(minutes)}:${two(seconds)}`;
}
