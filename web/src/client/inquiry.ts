import type { Directory } from "./directory";
import type { Host } from "./host";
import { askLobby, askWhy, fetchRoom } from "./lobby";
import type { RelayList } from "./relays";
import type { Purpose } from "./roamer";
import { Failure } from "./types";

/** How many lobbies are asked in turn: whoever asks has nobody to listen to, perhaps. */
const LOBBY_QUESTIONS = 4;
/** How often a relay is asked why it lets nobody in, in ms. */
const WONDER_EVERY = 5000;
/** The longest answer that may be a certificate's hash, in characters. */
const MAX_HASH = 100;

/** What a client asks by HTTP, where it has no session that would say it. */
export class Inquiry {
  private wonderAt = -Infinity; // not before
  private recognising: Promise<void> | undefined;

  constructor(
    private readonly host: Host,
    private readonly purpose: Purpose,
    private readonly directory: Directory,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Asks the page's own lobby and a few others in turn where to go, other than to
   * the relays of these names. Rejects with what the first of them answered.
   */
  async relays(exclude: readonly string[], timeout: number | undefined): Promise<RelayList> {
    const { does, room, zone } = this.purpose;
    const ask = { fetch: this.host.fetch, signal: this.signal, ...(timeout && { timeout }) };
    let why: unknown;
    for (const lobby of this.lobbies()) {
      try {
        return await askLobby(lobby, room, { purpose: does, zone, exclude }, ask);
      } catch (error) {
        why ??= error;
        if (this.signal.aborted) break;
      }
    }
    throw why;
  }

  private lobbies(): string[] {
    const [own, ...others] = this.directory.lobbies();
    const drawn = others.map((lobby) => ({ lobby, draw: this.host.random() })).sort((a, b) => a.draw - b.draw);
    return [own!, ...drawn.map((d) => d.lobby)].slice(0, LOBBY_QUESTIONS);
  }

  /**
   * Learns which relay the page's own address is, so that it is not taken for
   * another one, or that it does not say.
   */
  async recognise(): Promise<void> {
    if (this.directory.recognised) return;
    this.recognising ??= this.askHash().finally(() => (this.recognising = undefined));
    return this.recognising;
  }

  private async askHash(): Promise<void> {
    try {
      const url = new URL("/certificate.sha256", this.directory.lobby);
      const answer = await this.host.fetch(url, { signal: this.signal, redirect: "error", credentials: "omit" });
      const says = answer.ok && Number(answer.headers.get("content-length") ?? 0) <= MAX_HASH;
      this.directory.recognise(says ? (await answer.text()).slice(0, MAX_HASH) : undefined);
    } catch {
      this.directory.recognise(undefined);
    }
  }

  /**
   * Asks why nobody lets this client in, or why it was dropped: a browser does not
   * say. That of the first is not asked too often; the second is `soon` or `later`, of
   * who had been removed so often when they came. A name that is taken can be seen,
   * too, of who is dropped soon: somebody is live under it while this client is not.
   */
  async why(dropped: "soon" | "later" | undefined, removed: number | undefined): Promise<Failure | undefined> {
    const now = this.host.now();
    if (this.signal.aborted || (now < this.wonderAt && dropped !== "later")) return undefined;
    this.wonderAt = now + WONDER_EVERY;
    const { room, token = "", name } = this.purpose;
    const ask = { fetch: this.host.fetch, signal: this.signal };
    const lobby = this.directory.lobby.origin;
    const why = await askWhy(lobby, { room, token, name, removed }, ask);
    if (why || dropped !== "soon" || name === undefined) return why;
    const { speakers } = await fetchRoom(lobby, room, ask).catch(() => ({ speakers: [] }));
    const taken = speakers.some((s) => s.name === name);
    return taken ? new Failure("name-taken", `somebody else speaks as ${JSON.stringify(name)}`) : undefined;
  }
}
