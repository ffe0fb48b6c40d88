import { Failure, type Listener, type ListenerState, type RoomState, type SpeakerView } from "../src/client/types";
import { createListener, nameFault, type Prepared, prepareListener } from "./client";
import type { Place } from "./place";
import type { Situation } from "./status";

/** By which relays know that who listens here and who speaks here are one. */
export const ownHopId = 1 + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - 1));

/**
 * The page's one listener, and what a person has wanted of it. It shows nothing
 * itself: change is called whenever there is something new to show.
 */
export class Listening {
  readonly #place: Place;
  readonly #change: () => void;
  readonly #onroom: (state: RoomState) => void;
  #listener: Listener | undefined;
  #stopped = false;
  #startedAt = new Date();
  #prepared: Prepared | undefined;
  #volume = 1;
  /** Own voice: it is not played back to who speaks. */
  #self = "";

  /** Calls onroom with what relays say of the room. */
  constructor(place: Place, change: () => void, onroom: (state: RoomState) => void) {
    this.#place = place;
    this.#change = change;
    this.#onroom = onroom;
  }

  get state(): ListenerState {
    return this.#listener?.state ?? "idle";
  }

  /** Whether it is on: connected, or on the way there. */
  get on(): boolean {
    return this.state !== "idle" && this.state !== "failed";
  }

  get listener(): Listener | undefined {
    return this.#listener;
  }

  get startedAt(): Date {
    return this.#startedAt;
  }

  get speakers(): readonly SpeakerView[] {
    return this.#listener?.speakers ?? [];
  }

  /** What to put into words; live is whether somebody is known to speak. */
  situation(live: boolean, room: string | undefined): Situation {
    const listener = this.#listener;
    return {
      state: this.state,
      failure: this.state === "failed" ? (listener?.failure?.kind ?? "protocol") : undefined,
      token: this.#place.token !== undefined,
      live,
      speaking: this.#self !== "",
      room,
      stopped: this.#stopped,
      muted: this.#volume === 0,
      seconds: Math.max(0, Math.ceil(((listener?.retryAtMs ?? 0) - performance.now()) / 1000)),
    };
  }

  /** Somebody is about to begin, it seems, or may be: the relays are asked for. */
  prepare(): void {
    if (this.on || roomFault(this.#place) || this.#prepared?.stale(performance.now()) === false) return;
    this.#prepared = prepareListener({ lobby: location.origin, room: this.#place.room });
  }

  /** Begins; call it in a gesture. */
  async start(): Promise<void> {
    if (this.on) return;
    const { room, token } = this.#place;
    const listener = createListener({ lobby: location.origin, room, workletUrl: WORKLET_URL, record: recorded(), hopId: ownHopId, ...(this.#prepared && { prepared: this.#prepared }), ...(token === undefined ? {} : { token }) });
    this.#listener = listener;
    this.#startedAt = new Date();
    this.#stopped = false;
    listener.volume = this.#volume;
    listener.interactive = this.#self !== "";
    const same = (): void => {
      if (this.#listener === listener) this.#change();
    };
    listener.on("state", same);
    listener.on("speakers", () => {
      this.#muteSelf();
      same();
    });
    listener.on("listeners", same);
    listener.on("hop", same);
    listener.on("room", this.#onroom);
    expose(listener);
    try {
      await listener.start();
    } catch (error) {
      if (!(error instanceof Failure)) throw error; // a mistake of ours: the console shall have it
    }
    same();
  }

  /** Lets the sound out; call it in a gesture. */
  async resume(): Promise<void> {
    await this.#listener?.resume();
  }

  async stop(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#stopped = true;
    this.#change();
    await listener?.stop();
  }

  /** 0 to 1, as the slider stands: the ear wants its square. */
  volume(slider: number): void {
    this.#volume = slider * slider;
    if (this.#listener !== undefined) this.#listener.volume = this.#volume;
    this.#change();
  }

  mute(name: string, muted: boolean): void {
    this.#listener?.muteSpeaker(name, muted);
    this.#change();
  }

  /** Somebody speaks under this name at this page; empty for nobody. */
  self(name: string): void {
    if (this.#self !== "" && name === "") this.mute(this.#self, false);
    this.#self = name;
    if (this.#listener !== undefined) this.#listener.interactive = name !== "";
    this.#muteSelf();
    this.#change();
  }

  #muteSelf(): void {
    if (this.speakers.some((speaker) => speaker.name === this.#self && !speaker.muted)) this.#listener?.muteSpeaker(this.#self, true);
  }
}

/** What is wrong with the room of an address, if anything. */
export function roomFault(place: Place): boolean {
  return nameFault(place.room) !== undefined;
}

/** A test's page keeps what was played. */
function recorded(): boolean {
  return "stentorRecord" in globalThis;
}

/** For tests, and for who wants to look from the browser's console. */
function expose(listener: Listener): void {
  Object.assign(globalThis, { stentorListener: listener });
}
