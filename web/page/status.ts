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
  /** Whether somebody speaks at this page. */
  speaking: boolean;
  /** Whether it was listened to before. */
  stopped: boolean;
  muted: boolean;
  /** Whole seconds until the next try, while queued. */
  seconds: number;
  /** What the room is, as its state says: `announced`, `live`, `ended`. */
  room: string | undefined;
}

/** What the big button does. */
export type Deed = "start" | "stop" | "resume" | "again" | "none";

/** What a situation looks like: the sentence, what the button does, and whether it is trouble. */
export interface Appearance {
  status: Key;
  deed: Deed;
  button: Key;
  tone: "calm" | "busy" | "trouble";
}

/** Puts a listener's situation into words. */
export function appearance(s: Situation): Appearance {
  if (s.room === "ended" || s.failure === "ended") return { status: "status.ended", deed: "none", button: "listen.ended", tone: "calm" };
  switch (s.state) {
    case "idle":
      return { status: idleStatus(s), deed: "start", button: "listen.start", tone: "calm" };
    case "locked":
    case "interrupted":
      return { status: `status.${s.state}`, deed: "resume", button: "listen.sound", tone: "trouble" };
    case "failed":
      return { status: failureKey(s.failure ?? "unreachable", "listen", s.token), deed: "again", button: s.failure === "removed" ? "listen.back" : "listen.again", tone: "trouble" };
    case "connecting":
    case "queued":
    case "reconnecting":
      return { status: `status.${s.state}`, deed: "stop", button: "listen.stop", tone: "busy" };
    case "waiting":
      return { status: s.room === "announced" ? "status.announced" : s.speaking ? "status.alone" : "status.waiting", deed: "stop", button: "listen.stop", tone: "calm" };
    case "playing":
      return { status: s.room === "announced" ? "status.announced" : s.muted ? "status.playing.muted" : "status.playing", deed: "stop", button: "listen.stop", tone: "calm" };
  }
}

function idleStatus(s: Situation): Key {
  if (s.room === "announced") return "status.idle.announced";
  if (s.stopped) return "status.idle.stopped";
  return s.live ? "status.idle" : "status.idle.silent";
}

/** What to say about a failure, which depends on what was wanted and with which link. */
export function failureKey(kind: FailureKind, wanted: "listen" | "talk", token: boolean): Key {
  if (kind === "unauthorized" && token) return "failure.unauthorized.token";
  if (kind === "forbidden" && wanted === "talk") return "failure.forbidden.talk";
  return `failure.${kind}`;
}

/** Why nobody hears whoever is at the microphone: a host has muted them, they have themselves, the room has not begun. */
export type Unheard = "silenced" | "silenced.self" | "early" | undefined;

/**
 * What to say to somebody at the microphone, who may be muted here, or unheard in the
 * room; undefined while there is nothing to say. */
export function talkStatus(state: TalkerState, muted: boolean, unheard?: Unheard): Key | undefined {
  switch (state) {
    case "idle":
    case "failed":
      return undefined;
    case "live":
      if (unheard !== undefined) return `talk.${unheard}`;
      return muted ? "talk.muted" : "talk.live";
    default:
      return `talk.${state}`;
  }
}

/** What a room is before one listens to it. */
export function roomStatus(state: RoomView["state"] | undefined): Key {
  if (state === "live") return "room.live";
  if (state === "announced") return "room.announced";
  return state === "ended" ? "room.ended" : "room.notlive";
}

const dayMs = 86_400_000;

/** When an announced room begins: a count-down on its last day, and before that the day and the hour. */
export function startsWhen(startsMs: number | undefined, nowMs: number, words: Words): string {
  if (startsMs === undefined) return words.say("room.announced");
  const left = startsMs - nowMs;
  if (left <= 0) return words.say("room.starts.now");
  if (left < dayMs) return words.say("room.starts.in", { time: clock(Math.ceil(left / 1000) * 1000) });
  return words.say("room.starts.at", { time: moment(startsMs, words) });
}

/** A day and an hour, as a person says it where they are. */
export function moment(atMs: number, words: Words): string {
  return new Date(atMs).toLocaleString(words.tag, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });
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
