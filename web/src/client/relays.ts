import { count, list, members, text } from "./answer";

/** How many relays of a list are believed. */
const MAX_LISTED = 16;
/** How many certificates one of them may have: the present one, the next, and some more. */
const MAX_HASHES = 8;
/** What a list may make a relay's name or zone, and its address, in UTF-16 units. */
const MAX_RELAY_NAME = 128;
const MAX_URL = 2048;
/** Bounds what a lobby may make us wait, in ms. */
export const LONGEST_RETRY = 60_000;

/** A relay of a list. */
export interface ListedRelay {
  readonly name: string;
  readonly zone: string;
  /** Scheme https, as the list has it; its path says the room. */
  readonly url: URL;
  /** SHA-256 of its certificates, 64 hexadecimal digits in lower case. */
  readonly hashes: readonly string[];
  /** Milliseconds of audio in the packets that it recommends, if it does. */
  readonly packetMs: 20 | 60 | 120 | undefined;
}

/**
 * Where a client may go, best first: the body of the lobby's answer and of each
 * group of the track `relays` (docs/wire.md, section 14.7).
 */
export interface RelayList {
  readonly relays: readonly ListedRelay[];
  /** When to ask again, in ms; 0 where nothing is said. At most a minute. */
  readonly retryAfterMs: number;
  /** Names of relays that have fallen silent to the one whose list this is. */
  readonly gone: readonly string[];
  /** It asks to stand by without a session: the relays have little to spare. */
  readonly cold: boolean;
}

/**
 * Reads a list. Entries that make no sense are left out; a document that is no
 * list throws a Failure of kind "protocol".
 */
export function parseRelays(document: unknown): RelayList {
  const answer = members(document, "the list of relays");
  const relays: ListedRelay[] = [];
  for (const entry of list(answer["relays"], "relays", 4 * MAX_LISTED)) {
    const relay = readRelay(entry);
    if (relay && relays.length < MAX_LISTED) relays.push(relay);
  }
  const retry = answer["retry_after_ms"];
  return {
    relays,
    retryAfterMs: retry === undefined ? 0 : Math.min(count(retry, "retry_after_ms"), LONGEST_RETRY),
    gone: (Array.isArray(answer["gone"]) ? answer["gone"].slice(0, MAX_LISTED) : []).filter((name) => typeof name === "string"),
    cold: answer["cold"] === true,
  };
}

function readRelay(entry: unknown): ListedRelay | undefined {
  try {
    const relay = members(entry, "a relay");
    const name = text(relay["name"], "name", MAX_RELAY_NAME);
    const url = new URL(text(relay["url"], "url", MAX_URL));
    if (name === "" || url.protocol !== "https:" || url.hostname === "" || url.username !== "" || url.password !== "") {
      return undefined;
    }
    return {
      name,
      zone: relay["zone"] === undefined ? "" : text(relay["zone"], "zone", MAX_RELAY_NAME),
      url,
      hashes: readHashes(relay),
      packetMs: readPacket(relay["packet"]),
    };
  } catch {
    return undefined;
  }
}

function readHashes(relay: Readonly<Record<string, unknown>>): string[] {
  const several = relay["certificates_sha256"];
  const all = several === undefined ? [] : [...list(several, "certificates_sha256", MAX_HASHES)];
  if (relay["certificate_sha256"] !== undefined && relay["certificate_sha256"] !== "") all.unshift(relay["certificate_sha256"]);
  const hashes = all.map((hash) => {
    const hex = text(hash, "certificate_sha256", 200).replaceAll(":", "").trim().toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(hex)) throw new Error("no SHA-256");
    return hex;
  });
  return [...new Set(hashes)].slice(0, MAX_HASHES);
}

function readPacket(value: unknown): 20 | 60 | 120 | undefined {
  switch (value) {
    case "20ms":
      return 20;
    case "60ms":
      return 60;
    case "120ms":
      return 120;
    default:
      return undefined; // a recommendation that we do not know is none
  }
}
