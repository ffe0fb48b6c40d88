import type { RaisedHand, RoomState } from "../src/client/types";
import { type Commander, CommandError, commandRoom, fetchHands, fetchMe, type RoomCommand } from "./client";
import type { Key } from "./languages/en";
import type { Place } from "./place";
import { hosts, type News, newsOf, type Out, type Person, personOf, type Standing, standingOf } from "./standing";

/** How soon something is asked for again at most, in ms: hands may go up by the hundred. */
const askEveryMs = 1000;

/**
 * What the page knows of the room's stage, and the commands of its owner. It shows
 * nothing itself: change is called whenever there is something new to show.
 */
export class Stage {
  readonly person: Person | undefined;
  state: RoomState | undefined;
  me: Standing;
  /** Those whose hands are up, for hosts. */
  hands: readonly RaisedHand[] = [];
  /** What the owner was told last. */
  news: { news: News; name: string } | undefined;
  readonly #by: Commander;
  #told = false; // by the room, what the owner is
  readonly #queue = new NowAndThen(() => this.#askHands());
  readonly #self = new NowAndThen(() => this.#askMe());

  constructor(
    readonly place: Place,
    open: boolean,
    /** HTTP addresses of relays to send commands to. */
    readonly lobbies: () => readonly string[],
    readonly change: () => void,
  ) {
    this.person = personOf(place, open);
    this.me = standingOf(this.person, undefined);
    this.#by = open ? { as: place.as } : { token: place.token };
  }

  /**
   * Takes what a relay has said. What is older than what is known is passed over, and
   * so is what says no more: sessions are told what their owner is, others ask.
   */
  learn(state: RoomState): void {
    const before = this.state;
    const older = before !== undefined && (state.version < before.version || (state.version === before.version && state.state === before.state));
    if (older && (state.version < before.version || state.you === undefined || before.you !== undefined)) return;
    const was = this.me;
    const me = state.you === undefined ? was : standingOf(this.person, state.you);
    // Where the room had not said yet what somebody is, that is no change.
    const from = this.#told || state.you === undefined ? was : me;
    if (before !== undefined && before.version > 0) this.news = newsOf({ state: before, me: from }, { state, me }) ?? this.news;
    this.#told ||= state.you !== undefined;
    this.state = state;
    this.me = me;
    if (state.you === undefined && this.person !== undefined && state.version > 0) this.#self.ask();
    if (hosts(me.role)) this.#queue.ask();
    this.change();
  }

  /** Somebody comes, perhaps back: that they were shown out is no news any more. */
  welcome(): void {
    if (this.news?.news === "removed" || this.news?.news === "banned") this.news = undefined;
  }

  /** Somebody has been shown out, as the end of a session says: whoever spoke does not any more. */
  out(how: Out): void {
    if (this.news?.news === how) return;
    this.news = { news: how, name: "" };
    this.me = { ...this.me, role: "listener", place: 0, hand: 0 };
    this.#self.ask();
    this.change();
  }

  /** Has a relay carry out a command; says why it did not. */
  async command(command: RoomCommand): Promise<Key | undefined> {
    try {
      this.learn(await commandRoom(this.lobbies(), this.place.room, command, this.#by));
      return undefined;
    } catch (error) {
      return commandKey(error instanceof CommandError ? error.code : "");
    }
  }

  async #askHands(): Promise<void> {
    if (this.state?.version === 0 || this.state?.hands === 0) this.hands = [];
    else this.hands = await fetchHands(this.lobbies(), this.place.room, this.#by).catch(() => this.hands);
    this.change();
  }

  async #askMe(): Promise<void> {
    try {
      this.learn(await fetchMe(this.lobbies(), this.place.room, this.#by));
    } catch (error) {
      if (error instanceof CommandError && error.code === "banned") this.out("banned");
    }
  }
}

/** Does something at once, and again if that was wished meanwhile, but not too often. */
class NowAndThen {
  readonly #deed: () => Promise<void>;
  #busy = false;
  #again = false;

  constructor(deed: () => Promise<void>) {
    this.#deed = deed;
  }

  ask(): void {
    this.#again = true;
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#again) {
      this.#again = false;
      await this.#deed();
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
    this.#busy = false;
  }
}

/** The codes that have a sentence of their own. */
const codes = ["not_allowed", "banned", "not_found", "exists", "ended", "full", "last_host", "too_fast", "unreachable", "unavailable"] as const;

/** What to say of a command that was not carried out. */
export function commandKey(code: string): Key {
  const found = codes.find((known) => known === code);
  return found === undefined ? "command.failed" : `command.${found}`;
}
