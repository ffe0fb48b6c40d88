/** The pages in every state, with a double behind them: words, layout, keyboard, accessibility. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { FailureKind, ListenerState, SpeakerView } from "../src/client/types";
import { Words } from "../page/text";
import { launch, open, type Opening } from "./browser";
import type { Double } from "./double";
import { view } from "./view";
import { type Scene, scene } from "./scene";
import { serveDouble } from "./site";

declare const ROOT: string;

const english = new Words("en");
const evil = `<img src=x onerror="document.title='owned'">`;
const speaker = (name: string, speaking = true, level = 0.5): SpeakerView => ({ name, level, speaking, muted: false, volume: 1 });

interface Globals {
  double: Double;
}

/** A page on the double; begins is what the double starts with. */
async function room(scene: Scene, browser: Browser, begins: Partial<Double> = {}, opening: Opening & { name?: string } = {}): Promise<Page> {
  const { name = "town", ...rest } = opening;
  return open(scene, browser, `${await serveDouble(scene)}/r/${encodeURIComponent(name)}`, { globals: { doubleBegins: begins }, ...rest });
}

/** Puts the listener into a state. */
async function set(page: Page, change: Record<string, unknown>): Promise<void> {
  await page.evaluate((given) => (globalThis as unknown as Globals).double.listener?.set(given), change);
}

const status = (page: Page): Promise<string | null> => page.textContent("#status");

scene("every state in words, in both languages, and nothing moves", async (scene) => {
  const browser = await launch(scene);
  const page = await room(scene, browser, {}, { viewport: { width: 900, height: 900 } });
  await page.click("#listen");
  const states: [ListenerState, Parameters<Words["say"]>[0]][] = [
    ["connecting", "status.connecting"],
    ["queued", "status.queued"],
    ["waiting", "status.waiting"],
    ["playing", "status.playing"],
    ["locked", "status.locked"],
    ["interrupted", "status.interrupted"],
    ["reconnecting", "status.reconnecting"],
    ["idle", "status.idle.silent"],
  ];
  const places = new Set<string>();
  for (const language of ["en", "fr"]) {
    await page.selectOption("#language", language);
    assert.equal(await page.getAttribute("html", "lang"), language);
    for (const [state, key] of states) {
      await set(page, { state, retryAtMs: 1e9 });
      const sentence = new Words(language).say(key).split("{")[0] ?? "";
      assert.ok((await status(page))?.startsWith(sentence), `${state}: ${await status(page)}`);
      const boxes = await Promise.all(["#listen", "#status", "#speakers-title", "#talk-open"].map((id) => page.locator(id).boundingBox()));
      places.add(boxes.map((box) => `${box?.x},${box?.y}`).join(" "));
    }
  }
  assert.equal(places.size, 1, `things move: ${[...places].join(" | ")}`);
});

for (const phone of [false, true]) {
  scene(`what stands for the sound in the background plays ${phone ? "all the time on a phone" : "while nobody looks at the page"}`, async (scene) => {
    const page = await room(scene, await launch(scene), {}, { isMobile: phone, hasTouch: phone });
    await page.evaluate(() => {
      const heard = { element: undefined as HTMLMediaElement | undefined };
      const { play } = HTMLMediaElement.prototype;
      HTMLMediaElement.prototype.play = function (): Promise<void> {
        heard.element = this;
        return play.call(this);
      };
      Object.assign(globalThis, { heard });
    });
    const plays = (wanted: boolean): Promise<unknown> =>
      page.waitForFunction((wanted) => {
        const { element } = (globalThis as unknown as { heard: { element?: HTMLMediaElement } }).heard;
        return element !== undefined && element.paused !== wanted;
      }, wanted);
    const hide = (hidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await page.click("#listen");
    await plays(phone);
    await hide(true);
    await plays(true);
    await hide(false);
    await plays(phone);
    await hide(true);
    await page.evaluate(() => document.querySelector<HTMLElement>("#listen")?.click());
    await plays(false);
  });
}

scene("every failure in words, and the way out of it", async (scene) => {
  const browser = await launch(scene);
  const kinds: FailureKind[] = ["unreachable", "unauthorized", "forbidden", "unsupported", "protocol"];
  const page = await room(scene, browser, { onstart: "failed" });
  for (const kind of kinds) {
    await page.evaluate((failure) => ((globalThis as unknown as Globals).double.failure = failure), kind);
    await page.click("#listen");
    await page.waitForFunction((text) => document.querySelector("#status")?.textContent === text, english.say(`failure.${kind}` as "failure.protocol"));
    assert.equal(await page.textContent("#announce"), await status(page), "read out, too");
    assert.equal(await page.textContent("#listen-text"), "Try again");
  }
  await page.evaluate(() => ((globalThis as unknown as Globals).double.onstart = "playing"));
  await page.click("#listen");
  assert.equal(await status(page), english.say("status.playing"));

  const invited = await room(scene, browser, { onstart: "failed", failure: "unauthorized" }, { name: "town" });
  await invited.goto(`${invited.url()}#jwt=e30.e30.x`);
  await invited.reload();
  await invited.click("#listen");
  assert.equal(await status(invited), english.say("failure.unauthorized.token"));
});

scene("a countdown counts for the eye and is read out once", async (scene) => {
  const browser = await launch(scene);
  const page = await room(scene, browser);
  await page.click("#listen");
  await page.evaluate(() => {
    const counts = { status: 0, announce: 0 };
    Object.assign(globalThis, { counts });
    for (const id of ["status", "announce"] as const) new MutationObserver(() => counts[id]++).observe(document.getElementById(id)!, { childList: true, characterData: true, subtree: true });
    (globalThis as unknown as Globals).double.listener?.set({ state: "queued", retryAtMs: performance.now() + 9000 });
  });
  await page.waitForFunction(() => (globalThis as unknown as { counts: { status: number } }).counts.status >= 3);
  assert.match((await status(page)) ?? "", /again in [1-8] s\.$/);
  assert.equal(await page.evaluate(() => (globalThis as unknown as { counts: { announce: number } }).counts.announce), 1);
});

scene("names are text, wherever they stand", async (scene) => {
  const browser = await launch(scene);
  const rooms = [view(evil, { state: "live", listeners: 1, speakers: [{ name: evil }] })];
  const page = await room(scene, browser, { room: rooms[0]! }, { name: evil });
  assert.equal(await page.textContent("h1"), evil);
  await page.click("#listen");
  await set(page, { speakers: [speaker(evil)], hops: [{ atMs: 60_000, from: evil, to: evil, cause: "closed", tookMs: 1, lost: 0 }] });
  await page.click("summary");
  assert.equal(await page.textContent(".speaker-name bdi"), evil);
  assert.ok((await page.textContent("#line"))?.includes(evil));
  assert.equal(await page.title(), `${evil} · Stentor`);
  assert.equal(await page.locator("img").count(), 0);

  const list = await open(scene, browser, new URL("/", page.url()).href, { globals: { doubleBegins: { rooms } } });
  await list.waitForSelector("#rooms a");
  assert.equal(await list.textContent(".room-name"), evil);
  assert.equal(await list.locator("img").count(), 0);
  await list.click("#rooms a");
  assert.equal(await list.textContent("h1"), evil, "the link leads to the room of that name");
});

scene("the list of rooms: empty, unreadable, alive, and a way to any room", async (scene) => {
  const browser = await launch(scene);
  const page = await open(scene, browser, await serveDouble(scene));
  await page.waitForFunction((text) => document.querySelector("#note")?.textContent === text, english.say("rooms.none"));
  const again = (rooms: Double["rooms"]): Promise<void> =>
    page.evaluate((given) => {
      (globalThis as unknown as Globals).double.rooms = given;
      document.dispatchEvent(new Event("visibilitychange")); // as one who comes back
    }, rooms);
  const small = view("small", { state: "live", listeners: 1, speakers: [{ name: "ada" }] });
  const large = view("large", { state: "live", listeners: 5, speakers: [] });
  await again([small, large]);
  await page.waitForFunction(() => document.querySelectorAll("#rooms li").length === 2);
  assert.deepEqual(await page.locator(".room-name").allTextContents(), ["large", "small"]);
  await page.focus('a[href="/r/small"]');
  await again([{ ...small, listeners: 9 }, large]);
  await page.waitForFunction(() => document.querySelector(".room-name")?.textContent === "small");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("href")), "/r/small", "the focus stays");
  await again("unreadable");
  await page.waitForFunction((text) => document.querySelector("#note")?.textContent === text, english.say("rooms.unreadable"));
  assert.equal(await page.locator("#rooms li").count(), 2, "the last list is better than none");
  await page.fill("#enter-room", " a b/<c> ");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/r/a%20b%2F%3Cc%3E");
});

scene("all of it by keyboard", async (scene) => {
  const browser = await launch(scene);
  const page = await room(scene, browser);
  const tabTo = async (id: string): Promise<void> => {
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement?.id)) === id) return;
    }
    assert.fail(`Tab does not lead to #${id}`);
  };
  await tabTo("listen");
  await page.keyboard.press("Enter");
  assert.equal(await status(page), english.say("status.playing"));
  await set(page, { speakers: [speaker("ada")] });
  await tabTo("volume");
  await page.keyboard.press("Home");
  assert.equal(await status(page), english.say("status.playing.muted"));
  assert.equal(await page.evaluate(() => (globalThis as unknown as Globals).double.listener?.volume), 0);
  await page.keyboard.press("Tab"); // the speaker's row
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Mute ada");
  await page.keyboard.press("Space");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-pressed")), "true");
  await tabTo("talk-open");
  await page.keyboard.press("Enter");
  await page.keyboard.type("grace");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#talk-live:not([hidden])");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "talk-mute");
  await page.keyboard.press("Enter");
  assert.equal(await page.textContent("#talk-status"), english.say("talk.muted"));
  await tabTo("talk-stop");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "talk-open", "the focus is not lost");
});

scene("speaking: who may not sees nothing of it, who may is told what is wrong", async (scene) => {
  const browser = await launch(scene);
  const page = await room(scene, browser, { ontalk: "failed" });
  await page.click("#talk-open");
  for (const [name, key] of [["", "talk.name.empty"], ["a/b", "talk.name.bad"], [".hidden", "talk.name.bad"]] as const) {
    await page.fill("#talk-name", name);
    await page.click("#talk-start");
    assert.equal(await page.textContent("#talk-error"), english.say(key));
  }
  await page.fill("#talk-name", "ada");
  for (const [kind, key] of [
    ["microphone-refused", "failure.microphone-refused"],
    ["microphone-missing", "failure.microphone-missing"],
    ["microphone-lost", "failure.microphone-lost"],
    ["name-taken", "failure.name-taken"],
    ["forbidden", "failure.forbidden.talk"],
    ["unsupported", "failure.unsupported"],
  ] as const) {
    await page.evaluate((failure) => ((globalThis as unknown as Globals).double.failure = failure), kind);
    await page.click("#talk-start");
    await page.waitForFunction((text) => document.querySelector("#talk-error")?.textContent === text, english.say(key));
  }
  await page.evaluate(() => ((globalThis as unknown as Globals).double.ontalk = "live"));
  await page.click("#talk-start");
  assert.equal(await page.textContent("#talk-status"), english.say("talk.live"));
  assert.equal(await page.textContent("#talk-as"), "ada");
  await page.evaluate(() => (globalThis as unknown as Globals).double.talker?.set("reconnecting"));
  assert.equal(await page.textContent("#talk-status"), english.say("talk.reconnecting"));

  const listener = await room(scene, browser, {}, { name: "closed" });
  assert.equal(await listener.isVisible("#talk"), false);
});

scene("axe finds nothing, light and dark, on a phone and on a desk", async (scene) => {
  const browser = await launch(scene);
  const axe = readFileSync(join(ROOT, "web/node_modules/axe-core/axe.min.js"), "utf8");
  for (const colorScheme of ["light", "dark"] as const) {
    for (const viewport of [{ width: 320, height: 640 }, { width: 1200, height: 900 }]) {
      const page = await room(scene, browser, { room: view("town", { state: "live", listeners: 3, speakers: [{ name: "ada" }] }) }, { colorScheme, viewport });
      await page.addScriptTag({ content: axe });
      const check = async (what: string): Promise<void> => {
        const found = await page.evaluate(async () => {
          const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`);
        });
        assert.deepEqual(found, [], `${what}, ${colorScheme}, ${viewport.width} px`);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${what} is too wide for ${viewport.width} px`);
      };
      await check("before");
      await page.click("#listen");
      await set(page, { speakers: [speaker("ada"), speaker("A name of many words that has no end", false)], listeners: 512_345 });
      await page.click("summary");
      await check("listening");
      await set(page, { state: "queued", retryAtMs: 1e9 });
      await check("queued");
      await page.click("#talk-open");
      await page.click("#talk-start");
      await check("the form with an error");
      await page.fill("#talk-name", "eve");
      await page.click("#talk-start");
      await check("on the air");
    }
  }
  const list = await open(scene, browser, await serveDouble(scene), { globals: { doubleBegins: { rooms: [view("town", { state: "live", listeners: 3, speakers: [{ name: "ada" }] })] } } });
  await list.waitForSelector("#rooms a");
  await list.addScriptTag({ content: axe });
  assert.deepEqual(await list.evaluate(async () => (await (globalThis as unknown as { axe: { run(): Promise<{ violations: unknown[] }> } }).axe.run()).violations), []);
});

scene("who wants little motion gets little", async (scene) => {
  const browser = await launch(scene);
  const page = await room(scene, browser, {}, { reducedMotion: "reduce" });
  await page.click("#listen");
  await set(page, { speakers: [speaker("ada", true, 0.3)] });
  await page.waitForFunction(() => document.querySelector<HTMLElement>(".level")?.style.transform === "scaleX(1)");
  assert.equal(await page.evaluate(() => document.querySelector("#voice")?.clientHeight), 1);
});

scene("the lock screen knows what plays, and its keys work", async (scene) => {
  const browser = await launch(scene);
  const page = await room(scene, browser);
  await page.click("#listen");
  await set(page, { speakers: [speaker("ada"), speaker("grace")] });
  const shown = await page.evaluate(() => [navigator.mediaSession.metadata?.title, navigator.mediaSession.metadata?.artist, navigator.mediaSession.playbackState]);
  assert.deepEqual(shown, ["town", "ada and grace", "playing"]);
  await page.click("#listen");
  assert.equal(await page.evaluate(() => navigator.mediaSession.playbackState), "paused");
});
