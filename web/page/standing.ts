/** Who somebody is in a room, and what of it may be done with whom (docs/rooms.md). */
import type { RoomState } from "../src/client/types";
import { type Claims, claimsOf, type Place, voicesOf } from "./place";

export type Role = "host" | "cohost" | "speaker" | "listener";

/** Who the page's owner is, as the link says. */
export interface Person {
  /** What rooms know them by. */
  subject: string;
  /** The name that is shown; empty if the link says none. */
  name: string;
  /** What they are as long as the room says nothing else. */
  role: Role;
}

/** Who they are in the room now. */
export interface Standing {
  role: Role;
  /** By a host, or by a command of their own. */
  muted: boolean;
  /** The name of their place on the stage; undefined if they have none. */
  place: string | undefined;
}

// Whom no "sub" names is known by these words and a name.
const named = "name:";
const nameless = "voice:";

/** Who the link's owner is; undefined for somebody without a name of any kind, who can ask for nothing. */
export function personOf(place: Place, open: boolean): Person | undefined {
  if (open) return place.as === undefined ? undefined : { subject: nameless + place.as, name: place.as, role: "host" };
  const claims = claimsOf(place.token);
  const voices = voicesOf(place.room, claims);
  const [voice = ""] = voices === "any" || voices.length > 1 ? [] : voices;
  const role = roleOf(claims, voices.length > 0);
  if (claims.sub !== "") return { subject: claims.sub, name: claims.name, role };
  if (claims.name !== "") return { subject: named + claims.name, name: claims.name, role };
  return voice === "" ? undefined : { subject: nameless + voice, name: voice, role };
}

function roleOf(claims: Claims, maySpeak: boolean): Role {
  if (claims.role === "host" || claims.role === "cohost") return claims.role;
  return maySpeak || claims.role === "speaker" ? "speaker" : "listener";
}

/**
 * What the room says of somebody. It names those on the stage only: who is not there
 * is what the link says, unless they were there before.
 */
export function standingOf(person: Person | undefined, state: RoomState | undefined, wasOnStage: boolean): Standing {
  if (person === undefined) return { role: "listener", muted: false, place: undefined };
  const entry = state?.stage.find(({ name }) => name === person.subject) ?? state?.stage.find(({ name }) => name === person.name);
  if (entry === undefined) return { role: person.role !== "host" && wasOnStage ? "listener" : person.role, muted: false, place: undefined };
  const role = person.role === "host" ? "host" : known(entry.role);
  return { role, muted: entry.muted, place: entry.name };
}

/**
 * The name that relays let somebody speak under whom the room has made a speaker: the
 * own one, with a suffix if it is no name of a broadcast, or another on the stage has
 * it (docs/rooms.md).
 */
export function ownVoice(person: Person | undefined, state: RoomState | undefined, me: Standing, suffix: string): string {
  const name = person === undefined || person.name.includes("/") || person.name.startsWith(".") ? "" : person.name;
  const called = state?.stage.filter((m) => m.name === name).length ?? 0;
  return name === "" || called > (me.place === name ? 1 : 0) ? name + suffix : name;
}

/** A role by its word; whoever has another one only listens. */
export function known(role: string): Role {
  return role === "host" || role === "cohost" || role === "speaker" ? role : "listener";
}

const ranks: Readonly<Record<Role, number>> = { host: 3, cohost: 2, speaker: 1, listener: 0 };

/** Whether somebody of a role looks after the room. */
export function hosts(role: Role): boolean {
  return ranks[role] >= ranks.cohost;
}

/** What can be done with somebody on the stage; "off" leaves them as a listener. */
export type StageDeed = "mute" | "unmute" | "speaker" | "cohost" | "host" | "off" | "remove" | "ban";

/** What somebody of one role may do with another on the stage. The relay decides; this is what is offered. */
export function stageDeeds(mine: Role, theirs: { role: Role; muted: boolean; own: boolean }): StageDeed[] {
  const host = mine === "host";
  const below = host || (mine === "cohost" && ranks[theirs.role] < ranks.cohost);
  const deeds: StageDeed[] = [];
  if (hosts(mine) && ranks[theirs.role] <= ranks[mine]) deeds.push(theirs.muted ? "unmute" : "mute");
  if (theirs.own) return deeds;
  if (host) deeds.push(...(["host", "cohost", "speaker"] as const).filter((role) => role !== theirs.role));
  if (below) deeds.push("off", "remove");
  if (host) deeds.push("ban");
  return deeds;
}

/** How a subject is shown to hosts, who see no other name of whoever raises a hand. */
export function shownSubject(subject: string): string {
  for (const word of [named, nameless]) if (subject.startsWith(word)) return subject.slice(word.length);
  return subject;
}

/** What there is to tell somebody of a change of the room. */
export type News = "started" | "invited" | "cohost" | "host" | "speaker" | "off" | "muted" | "unmuted" | "newhost";

/**
 * What a person shall be told of what has changed between two states of a room; name
 * is that of somebody else who is host now.
 */
export function newsOf(before: { state: RoomState; me: Standing }, now: { state: RoomState; me: Standing }): { news: News; name: string } | undefined {
  const tell = (news: News, name = ""): { news: News; name: string } => ({ news, name });
  const was = before.me.role;
  const { role } = now.me;
  if (was !== role) {
    if (role === "host" || role === "cohost") return tell(role);
    return tell(role === "listener" ? "off" : was === "listener" ? "invited" : "speaker");
  }
  if (before.me.muted !== now.me.muted) return tell(now.me.muted ? "muted" : "unmuted");
  if (before.state.state === "announced" && now.state.state === "live") return tell("started");
  const host = now.state.stage.find((m) => m.role === "host" && m.name !== now.me.place && !before.state.stage.some((b) => b.name === m.name && b.role === "host"));
  return host && before.state.stage.some((m) => m.role === "host" || m.name === host.name) ? tell("newhost", host.name) : undefined;
}
