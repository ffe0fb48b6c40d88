import { count, list, members, text } from "./answer";
import type { RoomState, StageMember, You } from "./types";

/** How many people of a stage are read; relays let 16 on it, and more by their tokens. */
const MAX_STAGE = 256;
const MAX_TEXT = 500;

/**
 * Reads what everybody may know of a room: the track `state` (docs/wire.md, section
 * 19.1), a command's answer. Throws a Failure of kind "protocol".
 */
export function parseRoomState(document: unknown): RoomState {
  const room = members(document, "the room");
  const starts = room["starts"] === undefined ? NaN : Date.parse(text(room["starts"], "starts", MAX_TEXT));
  return {
    room: text(room["room"], "room", MAX_TEXT),
    state: text(room["state"], "state", MAX_TEXT),
    ...(typeof room["title"] === "string" && room["title"] !== "" && { title: room["title"].slice(0, MAX_TEXT) }),
    ...(Number.isFinite(starts) && { startsMs: starts }),
    version: optional(room["version"], "version"),
    stage: list(room["stage"] ?? [], "stage", MAX_STAGE).map(readMember),
    hands: optional(room["hands"], "hands"),
    ...(room["you"] !== undefined && { you: readYou(room["you"]) }),
  };
}

function readMember(value: unknown): StageMember {
  const member = members(value, "somebody on the stage");
  return {
    name: text(member["name"], "name", MAX_TEXT),
    role: text(member["role"], "role", MAX_TEXT),
    muted: member["muted"] === true,
    ...(member["subject"] !== undefined && { subject: text(member["subject"], "subject", MAX_TEXT) }),
  };
}

function readYou(value: unknown): You {
  const you = members(value, "you");
  const { muted } = you;
  return {
    role: text(you["role"], "role", MAX_TEXT),
    muted: muted === "self" || muted === "host" ? muted : undefined,
    place: optional(you["place"], "place"),
    hand: optional(you["hand"], "hand"),
    voice: text(you["voice"] ?? "", "voice", MAX_TEXT),
    removed: optional(you["removed"], "removed"),
    banned: you["banned"] === true,
  };
}

/** A number that is left out where it is 0. */
function optional(value: unknown, what: string): number {
  return value === undefined ? 0 : count(value, what);
}
