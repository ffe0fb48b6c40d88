import { Failure, type FailureKind, type Talker, type TalkerState } from "../src/client/types";
import { createTalker, nameFault } from "./client";
import { find, setText } from "./dom";
import type { Key } from "./languages/en";
import type { Permit, Place } from "./place";
import { failureKey, talkStatus } from "./status";
import type { Words } from "./text";

/** The speaker's corner: a button, then a form, then the microphone. It is not there for who may not speak. */
export class Talking {
  readonly #place: Place;
  readonly #permit: Permit;
  /** Told of the name that is spoken under, empty when it no longer is. */
  readonly #onname: (name: string) => void;
  #words: Words;
  #talker: Talker | undefined;
  #name = "";
  #asked = false; // the form is open
  #error: Key | undefined;

  constructor(place: Place, permit: Permit, words: Words, onname: (name: string) => void) {
    this.#place = place;
    this.#permit = permit;
    this.#words = words;
    this.#onname = onname;
    find("talk").hidden = !permit.speak;
    const name = find<HTMLInputElement>("talk-name");
    name.value = permit.suggested;
    name.readOnly = permit.name !== "";
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
      const talker = createTalker({ lobby: location.origin, room, name, workletUrl: WORKLET_URL, ...(token === undefined ? {} : { token }) });
      this.#talker = talker;
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
    const talker = this.#talker;
    this.#talker = undefined;
    this.#asked = false;
    this.#changed(undefined);
    find("talk-open").focus();
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
    find("talk-open").hidden = this.#asked || this.live;
    find("talk-form").hidden = !this.#asked || this.live;
    find("talk-live").hidden = !this.live;
    for (const id of ["talk-start", "talk-name"]) find<HTMLButtonElement | HTMLInputElement>(id).disabled = busy;
    setText(find("talk-as"), this.#name);
    setText(find("talk-mute"), this.#words.say(muted ? "talk.unmute" : "talk.mute"));
    const status = talkStatus(this.#state, muted);
    setText(find("talk-status"), status === undefined ? "" : this.#words.say(status));
    setText(find("talk-error"), this.#error === undefined ? "" : this.#words.say(this.#error));
  }
}
