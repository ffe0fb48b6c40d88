import { type Candidate, hostOf } from "../hop/candidate";
import type { ListedRelay, RelayList } from "./relays";
import type { Failure } from "./types";

/** Bounds what is kept about relays that come and go. */
const MAX_REMEMBERED = 256;

/**
 * Which relays there are: the one whose HTTP address the page knows, and those
 * that a list has named. A list that is empty takes nothing away, so a wrong one
 * costs a few attempts at most.
 */
export class Directory {
  private readonly path: string;
  private listed: readonly ListedRelay[] = [];
  /** The relay at the page's own address, once it is known which that is. */
  private own: ListedRelay | undefined;
  private hash: string | undefined; // of its certificate
  private stranger = false; // it does not say what its certificate is
  /** Why a relay will never take this client, by host and port. */
  private readonly refused = new Map<string, Failure>();
  /** Whether an attempt at a relay's own address has ever succeeded, by name. */
  private readonly reached = new Map<string, boolean>();

  constructor(
    /** The HTTP address of any relay. */
    readonly lobby: URL,
    room: string,
  ) {
    this.path = "/" + encodeURIComponent(room);
  }

  /**
   * The relays to choose from: the listed ones, best first, then the page's own, unless
   * that may still turn out to be one of them.
   */
  candidates(): Candidate[] {
    const all = this.listed.map((relay) => this.candidate(relay));
    const { own, lobby } = this;
    if (all.some((c) => c.name === own?.name || hostOf(c.url) === hostOf(lobby.href))) return all;
    if (all.length > 0 && !this.recognised && !this.stranger) return all;
    return [...all, own ? this.candidate(own) : { name: lobby.host, zone: "", url: this.at(lobby), hashes: [] }];
  }

  private candidate(relay: ListedRelay): Candidate {
    return { name: relay.name, zone: relay.zone, url: this.urlOf(relay), hashes: relay.hashes };
  }

  /** Takes a list, and says whether it told of anybody. */
  learn(list: RelayList): boolean {
    if (list.relays.length === 0) return false;
    this.listed = list.relays;
    this.findOwn();
    return true;
  }

  /** The packet length that the best relay recommends, in ms. */
  packetMs(): 20 | 60 | 120 | undefined {
    return this.listed[0]?.packetMs;
  }

  /** Whether the certificate of the relay at the page's own address is known. */
  get recognised(): boolean {
    return this.hash !== undefined;
  }

  /**
   * Learns the certificate of the relay at the page's own address, by which lists know
   * the relay; or that it does not say.
   */
  recognise(hash: string | undefined): void {
    this.stranger = hash === undefined;
    this.hash = hash?.trim().toLowerCase();
    this.findOwn();
  }

  private findOwn(): void {
    const { own, hash } = this;
    this.own = this.listed.find((relay) => relay.name === own?.name || (hash && relay.hashes.includes(hash))) ?? own;
  }

  /** Notes how an attempt ended; without a failure it succeeded. */
  tried(c: Candidate, failure: Failure | undefined): void {
    const at = hostOf(c.url);
    if (at === undefined || this.refused.size >= MAX_REMEMBERED || this.reached.size >= MAX_REMEMBERED) return;
    if (isFinal(failure)) this.refused.set(at, failure);
    if (!failure) this.refused.delete(at);
    if (!this.reached.get(c.name)) this.reached.set(c.name, failure === undefined);
  }

  /** Why no relay will ever take this client; undefined while one may. */
  hopeless(): Failure | undefined {
    let why: Failure | undefined;
    for (const c of this.candidates()) {
      why = this.refused.get(hostOf(c.url) ?? "");
      if (!why) return undefined;
    }
    return why;
  }

  /** The HTTP addresses to ask for a list, the page's own first. */
  lobbies(): string[] {
    const all = [this.lobby.origin, ...this.listed.map((relay) => relay.url.origin)];
    return [...new Set(all)];
  }

  /**
   * Where a page may ask a relay something over HTTP before it has a session: at the
   * page's own address, or where an authority vouches for its certificate. Undefined
   * where neither holds, or where there is no WebTransport that it could be about.
   */
  asks(c: Candidate): string | undefined {
    const { origin, protocol } = new URL(c.url);
    if (protocol !== "https:") return undefined;
    if (c.name === this.own?.name || origin === this.lobby.origin) return this.lobby.origin;
    return c.hashes?.length ? undefined : origin;
  }

  /**
   * Where to dial a relay that is listed: where the list says, unless that has never
   * worked and it is also the one that the page came from, as behind a tunnel.
   */
  private urlOf(relay: ListedRelay): string {
    return this.at(relay.name === this.own?.name && this.reached.get(relay.name) === false ? this.lobby : relay.url);
  }

  private at(where: URL): string {
    return where.origin + this.path;
  }
}

/** Whether no other attempt at the same relay can end better. */
export function isFinal(failure: Failure | undefined): failure is Failure {
  switch (failure?.kind) {
    case "unauthorized":
    case "removed":
    case "banned":
    case "ended":
    case "forbidden":
    case "name-taken":
    case "unsupported":
      return true;
    default:
      return false;
  }
}
