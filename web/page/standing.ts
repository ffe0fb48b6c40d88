/** Who somebody is in a room, and what of it may be done with whom (docs/rooms.md). */
import type { FailureKind, RoomState, StageMember, You } from "../src/client/types";
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
  /** By whom, if they are: for everybody, whatever the microphone's own button says. */
  muted: You["muted"];
  /** Where they are on the stage, from 1; 0: not there. */
  place: number;
  /** Where in the queue their hand is, from 1; 0: it is down. */
  hand: number;
  /** The name to speak under if the link says none. */
  voice: string;
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

/** What the room says of somebody, and the link before that has said anything. */
export function standingOf(person: Person | undefined, you: You | undefined): Standing {
  const { muted, place, hand, voice } = you ?? { muted: undefined, place: 0, hand: 0, voice: "" };
  return { role: you === undefined ? (person?.role ?? "listener") : known(you.role), muted, place, hand, voice };
}

/** Tells people of one name apart: whom a member of the stage is, for hosts, and otherwise which of that name. */
export function keysOf(stage: readonly StageMember[]): string[] {
  return stage.map(({ name }, i) => {
    const before = stage.slice(0, i).filter((m) => m.name === name).length;
    return before === 0 ? name : `${name}\0${before}`;
  });
}

/** The name in such a key. */
export function nameIn(key: string): string {
  return key.split("\0", 1)[0] ?? "";
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

/** How a subject is shown to hosts, beside the name; empty where that says no more. */
export function shownSubject(subject: string, name: string): string {
  for (const word of [named, nameless]) if (subject === word + name) return "";
  return subject === name ? "" : subject;
}

/** What there is to tell somebody of a change of the room. */
export type News = "started" | "invited" | "cohost" | "host" | "speaker" | "off" | "muted" | "unmuted" | "newhost" | Out;

/** How a room shows somebody out. */
export type Out = "removed" | "banned";

/** Whether somebody was shown out, if that is why something failed. */
export function outOf(kind: FailureKind | undefined): Out | undefined {
  return kind === "removed" || kind === "banned" ? kind : undefined;
}

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
  const silenced = now.me.muted === "host";
  if ((before.me.muted === "host") !== silenced) return tell(silenced ? "muted" : "unmuted");
  if (before.state.state === "announced" && now.state.state === "live") return tell("started");
  const own = now.state.stage[now.me.place - 1];
  const host = now.state.stage.find((m) => m.role === "host" && m !== own && !before.state.stage.some((b) => b.name === m.name && b.role === "host"));
  return host && before.state.stage.some((m) => m.role === "host" || m.name === host.name) ? tell("newhost", host.name) : undefined;
}
