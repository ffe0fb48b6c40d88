import { Failure, type FailureKind, type Talker, type TalkerState } from "../src/client/types";
import { createTalker, nameFault } from "./client";
import { find, setText } from "./dom";
import type { Key } from "./languages/en";
import { ownHopId } from "./listening";
import type { Permit, Place } from "./place";
import { failureKey, talkStatus, type Unheard } from "./status";
import type { Words } from "./text";

/** The speaker's corner: a button, then a form, then the microphone. It is not there for who may not speak. */
export class Talking {
  readonly #place: Place;
  #permit: Permit;
  /** Told of the name that is spoken under, empty when it no longer is. */
  readonly #onname: (name: string) => void;
  /** Told of each talker there is. */
  readonly #ontalker: (talker: Talker) => void;
  #words: Words;
  #talker: Talker | undefined;
  #name = "";
  #unheard: Unheard; // whatever the button says
  #asked = false; // the form is open
  #error: Key | undefined;

  constructor(place: Place, permit: Permit, words: Words, onname: (name: string) => void, ontalker: (talker: Talker) => void) {
    this.#place = place;
    this.#permit = permit;
    this.#words = words;
    this.#onname = onname;
    this.#ontalker = ontalker;
    const name = find<HTMLInputElement>("talk-name");
    this.#suggest();
    find("talk-open").addEventListener("click", () => this.#ask(true));
    find("talk-cancel").addEventListener("click", () => this.#ask(false));
    find("talk-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#start(name.value.trim());
    });
    find("talk-stop").addEventListener("click", () => void this.#stop());
    find("talk-mute").addEventListener("click", () => this.#talker?.setMuted(!this.#talker.muted));
    // Who is on the air does not close the page by mistake.
    addEventListener("beforeunload", (event) => {
      if (this.live) event.preventDefault();
    });
  }

  /** Whether somebody is at this page's microphone. */
  get live(): boolean {
    return this.#state === "live" || this.#state === "reconnecting";
  }

  /** Whether there is something of it to be seen. */
  get offered(): boolean {
    return this.#permit.speak;
  }

  /** HTTP addresses of relays, as far as the talker knows some. */
  get lobbies(): readonly string[] {
    return this.#talker?.lobbies ?? [];
  }

  /** Takes what the room lets somebody do now. Who may speak no longer is off the air. */
  allow(permit: Permit, unheard: Unheard): void {
    const { speak, name } = this.#permit;
    if (permit.speak === speak && permit.name === name && unheard === this.#unheard) return;
    this.#unheard = unheard;
    this.#permit = permit;
    if (!permit.speak && this.#talker !== undefined) void this.end();
    if (this.#talker === undefined && (permit.name !== name || !speak)) this.#suggest();
    this.#show();
  }

  #suggest(): void {
    const name = find<HTMLInputElement>("talk-name");
    name.value = this.#permit.suggested;
    name.readOnly = this.#permit.name !== "";
  }

  get #state(): TalkerState {
    return this.#talker?.state ?? "idle";
  }

  /** Moves the meter; still shows only whether anything is heard. */
  level(still: boolean): void {
    if (!this.live) return;
    const shown = this.#talker?.level ?? 0;
    find("talk-level").style.transform = `scaleX(${(still ? Math.round(shown) : shown).toFixed(3)})`;
  }

  /** Says everything in another language. */
  speak(words: Words): void {
    this.#words = words;
    const texts: Record<string, Key> = {
      "talk-open-text": "talk.open", "talk-title": "talk.title", "talk-name-label": "talk.name", "talk-hint": "talk.hint",
      "talk-start": "talk.start", "talk-cancel": "talk.cancel", "talk-stop": "talk.stop",
    };
    for (const [id, key] of Object.entries(texts)) setText(find(id), words.say(key));
    find("talk-meter").setAttribute("aria-label", words.say("talk.level"));
    this.#show();
  }

  #ask(open: boolean): void {
    this.#asked = open;
    this.#error = undefined;
    this.#show();
    const focus = !open ? "talk-open" : this.#permit.name === "" ? "talk-name" : "talk-start";
    find(focus).focus();
  }

  async #start(name: string): Promise<void> {
    if (name === "" || nameFault(name) !== undefined) {
      this.#fail(name === "" ? "talk.name.empty" : "talk.name.bad");
      return;
    }
    this.#error = undefined;
    this.#name = name;
    const { room, token } = this.#place;
    try {
      const talker = createTalker({ lobby: location.origin, room, name, workletUrl: WORKLET_URL, hopId: ownHopId, ...(token === undefined ? {} : { token }) });
      this.#talker = talker;
      this.#ontalker(talker);
      Object.assign(globalThis, { stentorTalker: talker }); // for tests, and for the browser's console
      talker.on("state", () => this.#changed(talker));
      talker.on("muted", () => this.#show());
      const started = talker.start(); // in the gesture
      this.#show();
      await started;
      if (this.#talker === talker && this.live) find("talk-mute").focus();
    } catch (error) {
      this.#fail(this.#failure(error));
    }
  }

  async #stop(): Promise<void> {
    const ended = this.end();
    find("talk-open").focus();
    await ended;
  }

  /** Takes whoever is at the microphone off the air. */
  async end(): Promise<void> {
    const talker = this.#talker;
    this.#talker = undefined;
    this.#asked = false;
    this.#changed(undefined);
    await talker?.stop();
  }

  #changed(talker: Talker | undefined): void {
    if (this.#talker !== talker) return; // one that was let go
    this.#onname(this.live ? this.#name : "");
    if (talker?.state === "failed") this.#fail(this.#failure(talker.failure));
    else this.#show();
  }

  #fail(error: Key): void {
    this.#error = error;
    this.#asked = true;
    this.#show();
    if (error === "talk.name.empty" || error === "talk.name.bad" || error === "failure.name-taken") find("talk-name").focus();
  }

  #failure(error: unknown): Key {
    const kind: FailureKind = error instanceof Failure ? error.kind : "protocol";
    return failureKey(kind, "talk", this.#place.token !== undefined);
  }

  #show(): void {
    const busy = this.#state === "asking" || this.#state === "connecting";
    const muted = this.#talker?.muted ?? false;
    const may = this.#permit.speak;
    find("talk-open").hidden = !may || this.#asked || this.live;
    find("talk-form").hidden = !may || !this.#asked || this.live;
    find("talk-live").hidden = !this.live;
    for (const id of ["talk-start", "talk-name"]) find<HTMLButtonElement | HTMLInputElement>(id).disabled = busy;
    setText(find("talk-as"), this.#name);
    setText(find("talk-mute"), this.#words.say(muted ? "talk.unmute" : "talk.mute"));
    find("talk-live").toggleAttribute("data-unheard", this.#unheard !== undefined);
    const status = talkStatus(this.#state, muted, this.#unheard);
    setText(find("talk-status"), status === undefined ? "" : this.#words.say(status));
    setText(find("talk-error"), this.#error === undefined ? "" : this.#words.say(this.#error));
  }
}
