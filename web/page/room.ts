/** The page of a room: "/r/{room}". */
import type { Failure, SpeakerView } from "../src/client/types";
import { fetchRoom } from "./client";
import { Connection } from "./connection";
import { find, setAttribute, setHidden, setText } from "./dom";
import { Hand } from "./hand";
import { Hosting } from "./hosting";
import { Language } from "./language";
import type { Key } from "./languages/en";
import { Listening, roomFault } from "./listening";
import { MediaPresence } from "./media";
import { permitOf, placeOf } from "./place";
import { Poll } from "./poll";
import { type Entry, SpeakerList } from "./speakers";
import { Stage } from "./stage";
import { keysOf, known, nameIn, outOf, shownSubject, type StageDeed } from "./standing";
import { appearance, type Deed, roomStatus, startsWhen } from "./status";
import { Talking } from "./talking";
import type { Filling } from "./text";
import { VoiceLine } from "./voice";

/** How often a page that does not listen asks who is there, in ms. */
const lookEveryMs = 10_000;
/** How often levels move: enough to see who speaks, little for the battery. */
const levelEveryMs = 333;
/** How many of these go by between two looks at all the rest. */
const showEvery = 3;

const open = document.documentElement.dataset["open"] === "true";
const place = placeOf(new URL(location.href));
const granted = permitOf(place, open);
const wrongName = roomFault(place);
const language = new Language();
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Who listens at last count, for who does not. */
let counted: number | undefined;
/** Who was live when it was asked last, for who does not listen. */
let spoke: readonly string[] | undefined;
/** The name spoken under at this page, if any. */
let self = "";
/** The sentence that was read out last. */
let announced: Key | undefined;

const voice = new VoiceLine(find<HTMLCanvasElement>("voice"));
const connection = new Connection();
const stage = new Stage(place, open, lobbies, changed);
const listening = new Listening(place, () => (shownOut(listening.listener?.failure), show()), (state) => stage.learn(state));
const speakers = new SpeakerList({ mute: (name, muted) => listening.mute(name, muted), stage: (name, deed) => void hosting.command(commandOf(name, deed)) });
const media = new MediaPresence({ play: () => void act("start"), pause: () => void act("stop") });
const hand = new Hand(stage, language.words);
const hosting = new Hosting(stage, language.words);
const talking = new Talking(
  place,
  granted,
  language.words,
  (name) => {
    self = name;
    media.talking(name !== "");
    listening.self(name);
  },
  (talker) => {
    talker.on("room", (state) => stage.learn(state));
    talker.on("state", () => shownOut(talker.failure));
  },
);

find("listen").addEventListener("click", () => void act(find("listen").dataset["deed"] as Deed));
// The list of relays is there when the button is pressed: asked for now, and again by whoever comes near it later.
for (const near of ["pointerenter", "focus", "touchstart"]) find("listen").addEventListener(near, () => listening.prepare(), { passive: true });
listening.prepare();
find<HTMLInputElement>("volume").addEventListener("input", (event) => listening.volume(Number((event.target as HTMLInputElement).value) / 100));
connection.onOpen(show);
document.addEventListener("visibilitychange", show);

language.each((words) => {
  setText(find("volume-label"), words.say("listen.volume"));
  talking.speak(words);
  show();
});
language.apply();

const look = new Poll(lookEveryMs, async () => {
  if (wrongName || (listening.on && stage.state !== undefined)) return;
  const room = await fetchRoom(location.origin, place.room).catch(() => undefined);
  if (room === undefined) return;
  counted = room.listeners;
  spoke = room.speakers.map(({ name }) => name);
  stage.learn(room);
  show();
});
let ticks = 0;
// One timer for all that moves, and not requestAnimationFrame: that would make a frame
// sixty times a second, whether or not there is something new in it.
setInterval(() => {
  if (document.hidden) return;
  talking.level(still.matches);
  if (listening.state === "playing") moveLevels();
  if (++ticks % showEvery === 0) pass();
}, levelEveryMs);

function moveLevels(): void {
  const heard = listening.speakers;
  speakers.levels(heard, still.matches);
  if (!still.matches) voice.push(Math.max(0, ...heard.map((speaker) => (speaker.speaking && !speaker.muted ? speaker.level : 0))));
}

/** What goes by while nothing happens: countdowns, the line, how long. */
function pass(): void {
  if (listening.on || waiting()) show();
  if (!listening.on && waiting() && (stage.state?.startsMs ?? Infinity) <= Date.now()) look.soon();
}

/** Does what the button, or a key of the headset, asks for. */
async function act(deed: Deed): Promise<void> {
  if (deed === "none" || wrongName) return;
  if (deed === "stop") {
    media.end();
    voice.clear();
    await listening.stop();
  } else if (deed === "resume") {
    await listening.resume();
  } else {
    media.begin();
    stage.welcome();
    await listening.start();
  }
}

/** Relays to send commands to: the one that the page is from may be gone by now. */
function lobbies(): readonly string[] {
  return [...new Set([location.origin, ...(listening.listener?.lobbies ?? []), ...talking.lobbies])];
}

/** The room has changed, or what its owner may do in it. */
function changed(): void {
  const { me, state } = stage;
  if (state?.state === "ended") {
    if (listening.on) void act("stop");
    void talking.end();
  }
  // Whom the room has made a speaker, though the link does not, speaks under the own name.
  const own = me.voice === "" || granted.speak ? undefined : { speak: me.role !== "listener", name: me.voice, suggested: me.voice };
  const off = !open && me.role === "listener";
  talking.allow(own ?? (off ? { ...granted, speak: false } : granted), me.muted === "host" ? "silenced" : me.muted === "self" ? "silenced.self" : waiting() ? "early" : undefined);
  show();
}

/** Somebody has been shown out, if that is why a session ended. */
function shownOut(failure: Failure | undefined): void {
  const how = outOf(failure?.kind);
  if (how !== undefined) stage.out(how);
}

/** What a button of a row commands. Hosts are told whom rooms know each by: two may have one name. */
function commandOf(key: string, deed: StageDeed): Parameters<Hosting["command"]>[0] {
  const members = stage.state?.stage ?? [];
  const who = members[keysOf(members).indexOf(key)]?.subject ?? nameIn(key);
  switch (deed) {
    case "speaker":
    case "cohost":
    case "host":
      return { do: "promote", who, role: deed };
    case "off":
      return { do: "promote", who, role: "listener" };
    default:
      return { do: deed, who };
  }
}

/** Whether the room has been announced and has not begun. */
function waiting(): boolean {
  return stage.state?.state === "announced";
}

/** Who is at a microphone, as far as it is known. */
function present(): readonly SpeakerView[] {
  const unheard = (name: string): SpeakerView => ({ name, level: 0, speaking: false, muted: false, volume: 1 });
  if (!listening.on || listening.state === "connecting") return (spoke ?? []).map(unheard);
  const heard = listening.speakers;
  return self === "" || heard.some(({ name }) => name === self) ? heard : [...heard, unheard(self)]; // relays do not send the own voice back
}

/** Who is on the stage by rank, then who is at a microphone without a place there. */
function entries(there: readonly SpeakerView[]): Entry[] {
  const members = stage.state?.stage ?? [];
  const own = stage.me.place - 1;
  const on = keysOf(members).map((key, i): Entry => {
    const { name = "", role = "", muted = false, subject = "" } = members[i] ?? {};
    const twin = members.some((other, j) => other.name === name && j !== i);
    const voice = i === own && self !== "" ? self : key; // whoever is the second of a name speaks under another
    return { name: key, role: known(role), muted, live: there.find((speaker) => speaker.name === voice), own: i === own, apart: twin ? shownSubject(subject, name) : "" };
  });
  const others = there.filter((speaker) => !on.some((entry) => entry.name === speaker.name || entry.live === speaker));
  const all = [...on, ...others.map((live): Entry => ({ name: live.name, role: undefined, muted: false, live, own: live.name === self }))];
  return all.filter(({ name }, i) => all.findIndex((entry) => entry.name === name) === i);
}

/** Shows how things are. It changes only what differs, so it may be called at any time. */
function show(): void {
  const { words } = language;
  const { state } = stage;
  const there = present();
  const live = state?.state !== "announced" && state?.state !== "ended" && (there.length > 0 || state?.state === "live");
  const situation = listening.situation(live, state?.state);
  const look = appearance(situation);
  const title = state?.title ?? place.room;
  setText(find("room"), title);
  const heading = `${title} · Stentor`;
  if (document.title !== heading) document.title = heading; // each time it is set the browser is told
  setAttribute(find("listen"), "data-deed", look.deed);
  find<HTMLButtonElement>("listen").disabled = wrongName || look.deed === "none";
  setText(find("listen-text"), words.say(look.button));
  showStatus(wrongName ? "failure.name" : look.status, look.tone, { seconds: words.number(situation.seconds) });
  showLive(live);
  setAttribute(find("volume-box"), "data-off", !listening.on);
  const { news } = stage;
  setText(find("news"), news === undefined || news.news === outOf(situation.failure) ? "" : words.say(`news.${news.news}`, { name: news.name }));
  showStage(there);
  media.show(title, new Intl.ListFormat(words.tag).format(there.map(({ name }) => name)), words.say("media.album"));
  const { listener } = listening;
  setHidden(find("connection"), listener === undefined);
  if (listener !== undefined) connection.show(listener.stats(), listening.startedAt, words);
}

/** The line above the room's name: whether it is live, and how many listen. */
function showLive(live: boolean): void {
  const { words } = language;
  const { state } = stage;
  const asked = spoke !== undefined || listening.on;
  const told = !asked ? words.say("room.loading") : waiting() ? startsWhen(state?.startsMs, Date.now(), words) : words.say(roomStatus(live ? "live" : state?.state));
  setText(find("live"), told);
  setAttribute(find("live"), "data-live", live);
  const listeners = listening.listener?.listeners ?? counted;
  const count = listening.state === "playing" ? Math.max(listeners ?? 0, 1) : listeners; // who listens is one, told or not
  setText(find("listeners"), !count || !live ? "" : words.count("listeners", count));
}

/** Who is on the stage, and what the page's owner may do there. */
function showStage(there: readonly SpeakerView[]): void {
  const { words } = language;
  const made = (stage.state?.version ?? 0) > 0;
  setText(find("speakers-title"), words.say(made ? "stage.title" : "speakers.title"));
  speakers.show(entries(there), { words, listening: listening.on, role: stage.me.role });
  setHidden(find("stage"), stage.state?.state === "ended");
  hand.show(words);
  hosting.show(words);
  setHidden(find("talk"), stage.state?.state === "ended" || (!talking.offered && !hand.offered));
}

/**
 * The sentence below the button. Who hears the page hears it once: a countdown
 * goes on for the eye only.
 */
function showStatus(key: Key, tone: string, filling: Filling): void {
  const text = language.words.say(key, filling);
  const status = find("status");
  setAttribute(status, "data-tone", tone);
  setText(status, text);
  if (announced === key) return;
  setText(find("announce"), announced === undefined ? "" : text); // what the page begins with is read with it
  announced = key;
}
