import type { RoomState } from "../src/client/types";
import { type Commander, CommandError, commandRoom, fetchHands, type RoomCommand } from "./client";
import type { Key } from "./languages/en";
import type { Place } from "./place";
import { hosts, type News, newsOf, ownVoice, type Person, personOf, type Standing, standingOf } from "./standing";

/** How soon the raised hands are asked for again at most, in ms: they may go up by the hundred. */
const handsEveryMs = 1000;

/**
 * What the page knows of the room's stage, and the commands of its owner. It shows
 * nothing itself: change is called whenever there is something new to show.
 */
export class Stage {
  readonly person: Person | undefined;
  state: RoomState | undefined;
  me: Standing;
  /** The subjects whose hands are up, for hosts. */
  hands: readonly string[] = [];
  /** What the owner was told last. */
  news: { news: News; name: string } | undefined;
  readonly #by: Commander;
  #suffix = ""; // tells people of one name apart
  #onStage = false; // at some time
  #handUp: boolean;
  #asking = false;
  #askAgain = false;

  constructor(
    readonly place: Place,
    open: boolean,
    /** HTTP addresses of relays to send commands to. */
    readonly lobbies: () => readonly string[],
    readonly change: () => void,
  ) {
    this.person = personOf(place, open);
    this.me = standingOf(this.person, undefined, false);
    this.#by = open ? { as: place.as } : { token: place.token };
    this.#handUp = remembered(place.room);
    if (this.person !== undefined) void suffixOf(this.person.subject).then((suffix) => (this.#suffix = suffix));
  }

  /** The name that somebody speaks under whom the room has made a speaker and the link does not. */
  get voice(): string {
    return ownVoice(this.person, this.state, this.me, this.#suffix);
  }

  /** Takes what a relay has said. What is older than what is known is passed over. */
  learn(state: RoomState): void {
    const before = this.state;
    if (before !== undefined && (state.version < before.version || (state.version === before.version && state.state === before.state))) return;
    const was = this.me;
    const me = standingOf(this.person, state, this.#onStage);
    this.#onStage ||= me.place !== undefined;
    if (state.hands === 0 || me.place !== undefined && !me.muted) this.#raised(false);
    if (before !== undefined && before.version > 0) this.news = newsOf({ state: before, me: was }, { state, me }) ?? this.news;
    this.state = state;
    this.me = me;
    if (hosts(me.role)) void this.#queue();
    this.change();
  }

  /** Whether the owner's hand is up, as far as this page knows. */
  get handUp(): boolean {
    return this.#handUp;
  }

  async raise(up: boolean): Promise<Key | undefined> {
    const failed = await this.command({ do: "hands", up });
    if (failed === undefined) this.#raised(up);
    this.change();
    return failed;
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

  /** Asks whose hands are up, now and then. */
  async #queue(): Promise<void> {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    do {
      this.#askAgain = false;
      if (this.state?.version === 0 || this.state?.hands === 0) this.hands = [];
      else this.hands = await fetchHands(this.lobbies(), this.place.room, this.#by).catch(() => this.hands);
      this.change();
      await new Promise((resolve) => setTimeout(resolve, handsEveryMs));
    } while (this.#askAgain);
    this.#asking = false;
  }

  #raised(up: boolean): void {
    this.#handUp = up;
    try {
      sessionStorage.setItem(handKey(this.place.room), up ? "up" : "");
    } catch {
      // storage is off: it is known until the page is left
    }
  }
}

/** What relays put behind a name that two have: `~` and eight digits of the subject's SHA-256. */
async function suffixOf(subject: string): Promise<string> {
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subject));
  return `~${[...new Uint8Array(sum, 0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const handKey = (room: string): string => `stentor.hand.${room}`;

function remembered(room: string): boolean {
  try {
    return sessionStorage.getItem(handKey(room)) === "up";
  } catch {
    return false;
  }
}

/** The codes that have a sentence of their own. */
const codes = ["not_allowed", "banned", "not_found", "exists", "ended", "full", "last_host", "too_fast", "unreachable", "unavailable"] as const;

/** What to say of a command that was not carried out. */
export function commandKey(code: string): Key {
  const found = codes.find((known) => known === code);
  return found === undefined ? "command.failed" : `command.${found}`;
}
