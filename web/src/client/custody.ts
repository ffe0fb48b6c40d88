import { members, readBody, refusalOf } from "./answer";
import type { Host } from "./host";
import type { Line } from "./line";
import { request } from "./lobby";
import type { Roamer } from "./roamer";
import { claimsOf } from "./token";
import type { RoomState } from "./types";

/** The longest state that relays make, in bytes. */
const MAX_STATE = 4 << 20;
/** How long one relay may take with it, in ms: a room of 10,000 hands makes 2 MB. */
const PATIENCE = 5000;
/** How often the copy is brought up to date at most, in ms. */
const KEEP_EVERY = 1000;
/** How long a relay may not have said what another has, until it is offered, in ms: mostly it is about to. */
const BEHIND_FOR = 300;

/**
 * Keeps a copy of the room's state for a host, and gives it to relays that lack
 * something of it: so the room outlives every relay that held it (docs/rooms.md).
 * The copy is not looked into but for its version; relays merge it.
 */
export class Custody {
  private kept: { version: number; document: string } | undefined;
  private readonly theirs = new Map<Line, number>(); // the versions that relays say
  private keeping = false;
  private keepAgain = false;
  private over = false; // relays do not want it

  constructor(
    private readonly host: Host,
    private readonly roamer: Roamer,
    private readonly signal: AbortSignal,
  ) {}

  /** Takes what the relay of a line says of the room. */
  said(line: Line, { version }: RoomState): void {
    if (this.over) return;
    const { kept } = this;
    const first = !this.theirs.has(line);
    this.theirs.set(line, version);
    if (kept && kept.version !== version && first) void this.offer(line); // it has shown all that it has
    else if (kept && kept.version > version) setTimeout(() => void this.offer(line), BEHIND_FOR);
    if (version > (kept?.version ?? 0)) void this.keep(line);
  }

  /** Forgets a line that has ended. */
  forget(line: Line): void {
    this.theirs.delete(line);
  }

  /** Brings the copy up to date, now and then. */
  private async keep(line: Line): Promise<void> {
    this.keepAgain = true;
    if (this.keeping) return;
    this.keeping = true;
    while (this.keepAgain && !this.signal.aborted && !this.over) {
      this.keepAgain = false;
      const document = await this.ask(line, {});
      const version = document === undefined ? 0 : versionOf(document);
      if (document !== undefined && version >= (this.kept?.version ?? 1)) this.kept = { version, document };
      await new Promise((resolve) => setTimeout(resolve, KEEP_EVERY));
    }
    this.keeping = false;
  }

  /** Gives the copy to a relay that still says something else. */
  private async offer(line: Line): Promise<void> {
    const { kept } = this;
    const theirs = this.theirs.get(line);
    if (!kept || theirs === undefined || theirs === kept.version) return;
    await this.ask(line, { method: "POST", headers: { "content-type": "application/json" }, body: kept.document });
  }

  /** Asks the relay of a line about the state, or else another of the network; undefined if none answers. */
  private async ask(line: Line, init: RequestInit): Promise<string | undefined> {
    const { room, token } = this.roamer.purpose;
    for (const lobby of new Set([new URL(line.candidate.url).origin, ...this.roamer.directory.lobbies()])) {
      try {
        const url = new URL(`/v1/rooms/${encodeURIComponent(room)}/state`, lobby);
        const headers = { ...init.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
        const answer = await request(url, { fetch: this.host.fetch, signal: this.signal, timeout: PATIENCE }, { ...init, headers });
        const body = await readBody(answer, url.host, MAX_STATE);
        if (answer.ok) return body;
        // Nobody has made the room, or it is no host's token: the same at every relay.
        if (answer.status === 401 || refusalOf(answer.status, body, url.host).code === "not_allowed") this.over = true;
        if (answer.status < 500) return undefined;
      } catch {
        // another one
      }
    }
    return undefined;
  }
}

/** The version of a state; 0 if it has none. */
function versionOf(document: string): number {
  try {
    const { clock } = members(JSON.parse(document), "the state");
    return typeof clock === "number" && Number.isSafeInteger(clock) ? clock : 0;
  } catch {
    return 0;
  }
}

/**
 * Whether somebody is to keep a copy: who says to be host. The relay looks more
 * closely. Where there are no tokens everybody is host, and those who speak are few
 * enough to keep a copy each.
 */
export function mayKeep(token: string | undefined, does: "listen" | "speak"): boolean {
  return token ? claimsOf(token)?.["role"] === "host" : does === "speak";
}
