import { lobbyOf } from "./listener";
import type { Host } from "./host";
import { askLobby } from "./lobby";
import type { RelayList } from "./relays";
import type { ListenOptions } from "./types";

/** For how long a list of relays that was asked for ahead is used, in ms. */
const FRESH_FOR = 30_000;

/** What was asked for before anybody pressed a button; see {@link ListenOptions}. */
export class Prepared {
  private constructor(
    private readonly list: Promise<RelayList | undefined>,
    private readonly at: number,
  ) {}

  /** Asks the lobby where to listen. It opens no session, and fails in silence. */
  static begin(options: Pick<ListenOptions, "lobby" | "room" | "zone">, host: Host): Prepared {
    const list = Promise.resolve()
      .then(() => askLobby(lobbyOf(options.lobby, host).origin, options.room, { purpose: "listen", zone: options.zone }, { fetch: host.fetch }))
      .catch(() => undefined);
    return new Prepared(list, host.now());
  }

  /** Whether it is too old to be of use at `now`, in ms. */
  stale(now: number): boolean {
    return now - this.at > FRESH_FOR;
  }

  /** The list; undefined where there is none that names somebody, or it is too old. */
  async relays(now: number): Promise<RelayList | undefined> {
    const list = this.stale(now) ? undefined : await this.list;
    return list && list.relays.length > 0 ? list : undefined;
  }
}
