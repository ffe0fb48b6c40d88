/** What a room's address and the link's token say, before anything is connected. */

/** Where a page is. */
export interface Place {
  /** The room's name, as it is; empty on the page with all rooms. */
  room: string;
  /** The token of the link, if it has one. */
  token: string | undefined;
  /** Whom commands come from at a relay that is open to all on its machine. */
  as: string | undefined;
}

/** What a link lets its owner do in a room. */
export interface Permit {
  speak: boolean;
  /** The only name that may be spoken under; empty if it may be chosen. */
  name: string;
  /** A name to begin with. */
  suggested: string;
}

/**
 * Reads an address such as `/r/town#jwt=eyJ…`. A token behind `#` is sent to nobody
 * but the relay; one behind `?` works as well.
 */
export function placeOf(url: URL): Place {
  const segment = /^\/r\/([^/]+)\/?$/.exec(url.pathname)?.[1] ?? "";
  const token = new URLSearchParams(url.hash.slice(1)).get("jwt") ?? url.searchParams.get("jwt");
  return { room: decoded(segment), token: token || undefined, as: url.searchParams.get("as") || undefined };
}

/** A room's address below a relay. */
export function pathOf(room: string): string {
  return `/r/${encodeURIComponent(room)}`;
}

/**
 * What may be done in a room: on an open relay everything, with a token what its
 * claims say. They are only read to offer what will be granted; the relay decides.
 */
export function permitOf({ room, token, as = "" }: Place, open: boolean): Permit {
  if (open) return { speak: true, name: "", suggested: as };
  const claims = claimsOf(token);
  const voices = voicesOf(room, claims);
  if (voices === "any") return { speak: true, name: "", suggested: claims.name };
  const [name = ""] = voices;
  return { speak: voices.length > 0, name, suggested: name };
}

/** The names that a token lets its owner speak under in a room. */
export function voicesOf(room: string, claims: Claims): "any" | string[] {
  const allowed: string[] = [];
  for (const put of claims.put) {
    const path = [claims.root, put].filter((part) => part !== "").join("/");
    if (path === "" || path === room) return "any";
    const [root, name, ...rest] = path.split("/");
    if (root === room && name !== undefined && rest.length === 0) allowed.push(name);
  }
  return allowed;
}

/** What a token says of its owner. */
export interface Claims {
  root: string;
  put: string[];
  name: string;
  sub: string;
  role: string;
}

/** The claims of a token that concern a room; none if it does not read. */
export function claimsOf(token: string | undefined): Claims {
  const none: Claims = { root: "", put: [], name: "", sub: "", role: "" };
  try {
    const bytes = Uint8Array.from(atob((token?.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json !== "object" || json === null) return none;
    const { put, ...given } = json as Record<string, unknown>;
    const word = (claim: string): string => (typeof given[claim] === "string" ? given[claim] : "");
    return {
      root: trimmed(word("root")),
      put: (Array.isArray(put) ? put : [put]).filter((path) => typeof path === "string").map(trimmed),
      name: word("name"),
      sub: word("sub"),
      role: word("role"),
    };
  } catch {
    return none; // not a token: the relay will say so
  }
}

function trimmed(path: string): string {
  return path.split("/").filter((part) => part !== "").join("/");
}

/** What is wrong with a name to speak under: it is one segment of a path, and a dot begins what relays keep for themselves. */
export function nameFault(name: string): "empty" | "bad" | undefined {
  if (name === "") return "empty";
  return name.includes("/") || name.startsWith(".") || [...name].length > 64 ? "bad" : undefined;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a lone % is a name, too
  }
}
