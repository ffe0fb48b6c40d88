import { count, list, members, readBody, readJson, text } from "./answer";
import { kindOfRefusal } from "./failure";
import { type RelayList, parseRelays } from "./relays";
import { parseRoomState } from "./room";
import { Failure, type RoomView } from "./types";

/** How long one question may take, in ms: whoever asks has nobody to listen to, perhaps. */
export const LOBBY_TIMEOUT = 2000;
/** How many relays are asked for: one to be at, one to stand by, and one more. */
const LOBBY_COUNT = 3;
/** How many relays a question may exclude; more are refused. */
const MAX_EXCLUDE = 64;
/** How many rooms, and speakers of one, are read. */
const MAX_ROOMS = 1000;
const MAX_SPEAKERS = 256;
const MAX_TEXT = 500;
const MAX_PATHS = 64;

/** What a client says of itself when it asks where to go. */
export interface LobbyQuery {
  readonly purpose: "listen" | "speak";
  readonly zone?: string | undefined;
  /** Names of relays it has already. */
  readonly exclude?: readonly string[];
}

/** How a question travels: the page's fetch, and what ends it. */
export interface Ask {
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal;
  /** In ms. */
  readonly timeout?: number;
}

/** The page's own fetch. */
export const browser: Ask = { fetch: (...args) => globalThis.fetch(...args) };

/**
 * Asks a lobby, the HTTP address of any relay, where to listen or speak. It fails
 * with a {@link Failure}: "unreachable", or "protocol" for what is no such answer.
 */
export async function askLobby(lobby: string, room: string, query: LobbyQuery, ask = browser): Promise<RelayList> {
  const q = new URLSearchParams({ purpose: query.purpose, n: String(LOBBY_COUNT) });
  if (query.zone) q.set("zone", query.zone);
  for (const name of query.exclude?.slice(0, MAX_EXCLUDE) ?? []) {
    if (!name.includes(",")) q.append("exclude", name); // a comma separates names
  }
  return parseRelays(await get(lobby, `/v1/rooms/${encodeURIComponent(room)}/relays?${q}`, ask));
}

/** What a client wanted of a relay that did not let it, or soon dropped it. */
export interface Wanted {
  readonly room: string;
  readonly token: string;
  /** The name to speak under; undefined: it only listens. */
  readonly name: string | undefined;
  /** How often they had been removed when they came, if that is known. */
  readonly removed?: number | undefined;
}

/**
 * Asks why a relay has no session with this client, which browsers do not say
 * (docs/wire.md, section 2.2): a {@link Failure} with the relay's words, or
 * undefined if it would let in whoever wants this, or does not say either.
 */
export async function askWhy(lobby: string, wanted: Wanted, ask = browser): Promise<Failure | undefined> {
  const { room, token, name, removed } = wanted;
  try {
    const url = lobbyUrl(lobby, `/${encodeURIComponent(room)}?${new URLSearchParams({ jwt: token, ...(removed !== undefined && { removed: String(removed) }) })}`);
    const answer = await request(url, ask);
    if (answer.status === 401 || answer.status === 403) {
      const said = (await readBody(answer, url.host)).trim();
      return new Failure(kindOfRefusal(said), said.slice(0, MAX_TEXT));
    }
    const granted = members(await readJson(answer, url.host), "what is granted");
    const put = list(granted["put"], "put", MAX_PATHS).map((path) => text(path, "a path", MAX_TEXT));
    if (name === undefined || put.includes("") || put.includes(name)) return undefined;
    return new Failure("forbidden", put.length > 0 ? `the token lets nobody speak as ${JSON.stringify(name)}` : "the token lets nobody speak");
  } catch {
    return undefined;
  }
}

/**
 * Asks a relay, at its own address, whether it would let this client in, which keeps a
 * place for a moment for one that may speak (docs/operating.md, when a relay is busy).
 * Rejects when nothing is heard.
 */
export async function knock(at: string, wanted: Pick<Wanted, "room" | "token" | "name">, ask: Ask): Promise<boolean> {
  const q = new URLSearchParams({ jwt: wanted.token, ...(wanted.name !== undefined && { role: "publisher" }) });
  return (await request(lobbyUrl(at, `/${encodeURIComponent(wanted.room)}?${q}`), ask)).ok;
}

/** A room as the network sees it; in state `unknown`, with nobody, where it is not live. */
export async function fetchRoom(lobby: string, room: string, ask = browser): Promise<RoomView> {
  try {
    return readRoom(await get(lobby, `/v1/rooms/${encodeURIComponent(room)}`, ask));
  } catch (error) {
    if ((error as { status?: unknown }).status !== 404) throw error;
    return { room, state: "unknown", version: 0, stage: [], hands: 0, listeners: 0, speakers: [] };
  }
}

/** The rooms that are live in the network, as far as the relay at `lobby` knows. */
export async function fetchRooms(lobby: string, ask = browser): Promise<RoomView[]> {
  const answer = members(await get(lobby, "/v1/rooms", ask), "the list of rooms");
  return list(answer["rooms"], "rooms", MAX_ROOMS).map(readRoom);
}

function readRoom(value: unknown): RoomView {
  const room = members(value, "the room");
  return {
    ...parseRoomState(room),
    listeners: count(room["listeners"], "listeners"),
    speakers: list(room["speakers"] ?? [], "speakers", MAX_SPEAKERS).map((speaker) => ({
      name: text(members(speaker, "a speaker")["name"], "name", MAX_TEXT),
    })),
  };
}

/** Gets JSON from a lobby. Nothing of the person's goes along: no cookie, no referrer. */
async function get(lobby: string, path: string, ask: Ask): Promise<unknown> {
  const url = lobbyUrl(lobby, path);
  try {
    return await readJson(await request(url, ask), url.host);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("unreachable", `${url.host} does not answer`, { cause });
  }
}

/** Asks a relay over HTTP. Nothing of the person's goes along but what init has. */
export async function request(url: URL, ask: Ask, init: RequestInit = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(ask.timeout ?? LOBBY_TIMEOUT);
  const signal = ask.signal ? AbortSignal.any([ask.signal, timeout]) : timeout;
  return ask.fetch(url, { ...init, signal, redirect: "error", credentials: "omit", referrerPolicy: "no-referrer" });
}

function lobbyUrl(lobby: string, path: string): URL {
  try {
    const url = new URL(path, lobby);
    if (url.protocol === "https:" || url.protocol === "http:") return url;
  } catch {
    // falls through
  }
  throw new Failure("unreachable", `${JSON.stringify(lobby.slice(0, 100))} is no address of a lobby`);
}
