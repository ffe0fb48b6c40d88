/** The page of a room: "/r/{room}". */
import type { RoomView, SpeakerView } from "../src/client/types";
import { fetchRoom } from "./client";
import { Connection } from "./connection";
import { find, setAttribute, setText } from "./dom";
import { Language } from "./language";
import type { Key } from "./languages/en";
import { Listening, roomFault } from "./listening";
import { MediaPresence } from "./media";
import { permitOf, placeOf } from "./place";
import { poll } from "./poll";
import { SpeakerList } from "./speakers";
import { appearance, type Deed, roomStatus } from "./status";
import { Talking } from "./talking";
import type { Filling } from "./text";
import { VoiceLine } from "./voice";

/** How often a page that does not listen asks who is there, in ms. */
const lookEveryMs = 10_000;
/** How often levels move: enough for the eye, little for the battery. */
const levelEveryMs = 100;

const place = placeOf(new URL(location.href));
const permit = permitOf(place.room, place.token, document.documentElement.dataset["open"] === "true");
const wrongName = roomFault(place);
const language = new Language();
const still = matchMedia("(prefers-reduced-motion: reduce)");

const voice = new VoiceLine(find<HTMLCanvasElement>("voice"));
const connection = new Connection();
const listening = new Listening(place, show);
const speakers = new SpeakerList((name, muted) => listening.mute(name, muted));
const media = new MediaPresence({ play: () => void act("start"), pause: () => void act("stop") });
const talking = new Talking(place, permit, language.words, (name) => {
  self = name;
  media.talking(name !== "");
  listening.self(name);
});

/** The room as it was last told, for who does not listen. */
let known: RoomView | undefined;
/** The name spoken under at this page, if any. */
let self = "";
/** The sentence that was read out last. */
let announced: Key | undefined;

find("listen").addEventListener("click", () => void act(find("listen").dataset["deed"] as Deed));
find<HTMLInputElement>("volume").addEventListener("input", (event) => listening.volume(Number((event.target as HTMLInputElement).value) / 100));
connection.onOpen(show);
document.addEventListener("visibilitychange", show);

setText(find("room"), place.room);
document.title = `${place.room} · Stentor`;
language.each((words) => {
  setText(find("volume-label"), words.say("listen.volume"));
  setText(find("speakers-title"), words.say("speakers.title"));
  talking.speak(words);
  show();
});
language.apply();
find<HTMLButtonElement>("listen").disabled = wrongName;

poll(lookEveryMs, async () => {
  if (listening.on || wrongName) return;
  known = await fetchRoom(location.origin, place.room).catch(() => known);
  show();
});
// What goes by while nothing happens: the countdown, the line, how long.
setInterval(() => {
  if (listening.on && !document.hidden) show();
}, 1000);

// A timer, not requestAnimationFrame: that would make a frame sixty times a second,
// whether or not there is something new in it.
setInterval(() => {
  if (document.hidden) return;
  talking.level(still.matches);
  if (listening.state !== "playing") return;
  const heard = listening.speakers;
  speakers.levels(heard, still.matches);
  if (!still.matches) voice.push(Math.max(0, ...heard.map((speaker) => (speaker.speaking && !speaker.muted ? speaker.level : 0))));
}, levelEveryMs);

/** Does what the button, or a key of the headset, asks for. */
async function act(deed: Deed): Promise<void> {
  if (deed === "stop") {
    media.end();
    voice.clear();
    await listening.stop();
  } else if (deed === "resume") {
    await listening.resume();
  } else {
    media.begin();
    await listening.start();
  }
}

/** Who is there, as far as it is known. */
function present(): readonly SpeakerView[] {
  if (listening.on && listening.state !== "connecting") return listening.speakers;
  return (known?.speakers ?? []).map(({ name }) => ({ name, level: 0, speaking: false, muted: false, volume: 1 }));
}

/** Shows how things are. It changes only what differs, so it may be called at any time. */
function show(): void {
  const { words } = language;
  const there = present();
  const live = there.length > 0 || known?.state === "live";
  const situation = listening.situation(live);
  const look = appearance(situation);
  find("listen").dataset["deed"] = look.deed;
  setText(find("listen-text"), words.say(look.button));
  showStatus(wrongName ? "failure.name" : look.status, look.tone, { seconds: words.number(situation.seconds) });
  setText(find("live"), words.say(known === undefined && !listening.on ? "room.loading" : roomStatus(live ? "live" : known?.state)));
  setAttribute(find("live"), "data-live", live);
  const told = listening.listener?.listeners ?? known?.listeners;
  const count = listening.state === "playing" ? Math.max(told ?? 0, 1) : told; // who listens is one, told or not
  setText(find("listeners"), !count || !live ? "" : words.count("listeners", count));
  setAttribute(find("volume-box"), "data-off", !listening.on);
  speakers.show(there, words, listening.on, self);
  media.show(place.room, new Intl.ListFormat(words.tag).format(there.map(({ name }) => name)), words.say("media.album"));
  const { listener } = listening;
  find("connection").hidden = listener === undefined;
  if (listener !== undefined) connection.show(listener.stats(), listening.startedAt, words);
}

/**
 * The sentence below the button. Who hears the page hears it once: a countdown
 * goes on for the eye only.
 */
function showStatus(key: Key, tone: string, filling: Filling): void {
  const text = language.words.say(key, filling);
  const status = find("status");
  status.dataset["tone"] = tone;
  setText(status, text);
  if (announced === key) return;
  setText(find("announce"), announced === undefined ? "" : text); // what the page begins with is read with it
  announced = key;
}
