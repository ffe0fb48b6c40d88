import { count, list, members, text } from "./answer";
import type { RoomState, StageMember } from "./types";

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
    version: room["version"] === undefined ? 0 : count(room["version"], "version"),
    stage: list(room["stage"] ?? [], "stage", MAX_STAGE).map(readMember),
    hands: room["hands"] === undefined ? 0 : count(room["hands"], "hands"),
  };
}

function readMember(value: unknown): StageMember {
  const member = members(value, "somebody on the stage");
  return {
    name: text(member["name"], "name", MAX_TEXT),
    role: text(member["role"], "role", MAX_TEXT),
    muted: member["muted"] === true,
  };
}
