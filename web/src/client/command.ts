import { StatusError, list, members, readJson, text } from "./answer";
import { type Ask, browser, request } from "./lobby";
import { parseRoomState } from "./room";
import { Failure, type RaisedHand, type RoomState } from "./types";

/** How many raised hands are read; relays keep no more. */
const MAX_HANDS = 10_000;
const MAX_TEXT = 500;
/** How long a relay may take for a command, in ms: it may have to ask two roots. */
const COMMAND_TIMEOUT = 5000;

/** What may be done to a room (docs/rooms.md). Without `who` it is about oneself. */
export type RoomCommand =
  | { readonly do: "create"; readonly title?: string }
  | { readonly do: "start" | "end" }
  | { readonly do: "mute" | "unmute" | "remove" | "ban" | "unban" | "invite"; readonly who?: string }
  | { readonly do: "promote"; readonly who: string; readonly role: "host" | "cohost" | "speaker" | "listener" }
  | { readonly do: "hands"; readonly up: boolean; readonly who?: string };

/** Who gives a command: by a token, or by a name at a relay that is open to all on its machine. */
export interface Commander {
  readonly token?: string | undefined;
  readonly as?: string | undefined;
}

/** Why a relay did not carry out a command; code is one of docs/rooms.md, or "unreachable". */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Has a room changed, by the first of the relays at these HTTP addresses that answers,
 * and returns what it then is. Rejects with a {@link CommandError}.
 */
export async function commandRoom(lobbies: readonly string[], room: string, command: RoomCommand, by: Commander, ask = browser): Promise<RoomState> {
  const { do: verb, ...rest } = command;
  const path = verb === "create" ? "/v1/rooms" : `${roomPath(room)}/${verb}`;
  const body = { ...rest, ...(verb === "create" && { room }), ...(by.as !== undefined && { as: by.as }) };
  return question(lobbies, path, by, ask, JSON.stringify(body), parseRoomState);
}

/** Those whose hands are up, first raised first: for hosts and co-hosts. Rejects with a {@link CommandError}. */
export async function fetchHands(lobbies: readonly string[], room: string, by: Commander, ask = browser): Promise<RaisedHand[]> {
  return question(lobbies, `${roomPath(room)}/hands`, by, ask, undefined, (document) =>
    list(members(document, "the raised hands")["raised"], "raised", MAX_HANDS).map((value) => {
      const hand = members(value, "a raised hand");
      return { subject: text(hand["subject"], "a subject", MAX_TEXT), name: text(hand["name"], "a name", MAX_TEXT) };
    }),
  );
}

/**
 * What a room is, and what whoever asks is there: for who has no session that says it.
 * Rejects with a {@link CommandError}, of code "banned" or "ended" for who has nothing to do there any more.
 */
export async function fetchMe(lobbies: readonly string[], room: string, by: Commander, ask = browser): Promise<RoomState> {
  const as = by.as === undefined ? "" : `?${new URLSearchParams({ as: by.as })}`;
  return question(lobbies, `${roomPath(room)}/me${as}`, by, ask, undefined, parseRoomState);
}

function roomPath(room: string): string {
  return `/v1/rooms/${encodeURIComponent(room)}`;
}

/** Asks one relay after the other until one answers; with a body it is a POST. */
async function question<T>(
  lobbies: readonly string[], path: string, by: Commander, ask: Ask, body: string | undefined, read: (document: unknown) => T,
): Promise<T> {
  let why: unknown;
  for (const lobby of lobbies) {
    try {
      const url = new URL(path, lobby);
      const headers = {
        ...(by.token !== undefined && { authorization: `Bearer ${by.token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      };
      const answer = await request(url, { ...ask, timeout: COMMAND_TIMEOUT }, { headers, ...(body !== undefined && { method: "POST", body }) });
      return read(await readJson(answer, url.host));
    } catch (error) {
      if (error instanceof StatusError && error.status < 500) throw new CommandError(error.code, error.message, { cause: error });
      why = error;
    }
  }
  const code = why instanceof StatusError ? why.code : why instanceof Failure && why.kind === "protocol" ? "protocol" : "unreachable";
  throw new CommandError(code, why instanceof Error ? why.message : "no relay is known", { cause: why });
}
