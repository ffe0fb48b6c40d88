/** The stage on the page, with a double behind it: who sees what, what is commanded, what is told in words. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Words } from "../page/text";
import type { RoomCommand } from "../src/client/command";
import type { RoomState, RoomView, You } from "../src/client/types";
import { launch, open, type Opening } from "./browser";
import type { Double } from "./double";
import { type Scene, scene } from "./scene";
import { serveDouble } from "./site";
import { view } from "./view";

declare const ROOT: string;

const english = new Words("en");
const evil = "<img src=x onerror=alert(1)>";
const people = [
  { name: "Ada", role: "host", muted: false },
  { name: "Grace", role: "cohost", muted: false },
  { name: evil, role: "speaker", muted: true },
];
const live = view("closed", { state: "live", version: 9, title: "Town hall", stage: people, hands: 2, speakers: [{ name: "Ada" }] });
const host = { root: "closed", put: [""], role: "host", name: "Ada", sub: "ada@example.org" };
const listener = { root: "closed", get: [""], name: "Eve", sub: "eve@example.org" };

/** What a relay tells somebody they are; a listener with the hand down, but for what is changed. */
const you = (change: Partial<You> = {}): You => ({ role: "listener", muted: undefined, place: 0, hand: 0, voice: "", removed: 0, banned: false, ...change });
const eve = (change: Partial<You> = {}): You => you({ role: "speaker", place: 4, voice: "Eve", ...change });

interface Globals {
  double: Double;
}

/** The page of somebody whose link says that. */
async function visit(scene: Scene, browser: Browser, claims: object, begins: Partial<Double>, opening: Opening = {}): Promise<Page> {
  const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
  const page = await open(scene, browser, `${await serveDouble(scene)}/r/closed#jwt=${token}`, { globals: { doubleBegins: begins }, ...opening });
  await page.waitForFunction((text) => document.querySelector("#live")?.textContent !== text, english.say("room.loading"));
  return page;
}

/** Has a relay say what the room is now; the page must be listening. */
async function tell(page: Page, state: RoomState): Promise<void> {
  await page.evaluate((given) => (globalThis as unknown as Globals).double.listener?.tell(given), state);
}

const commands = (page: Page): Promise<RoomCommand[]> => page.evaluate(() => (globalThis as unknown as Globals).double.commands);
const change = (was: RoomView, version: number, what: Partial<RoomView>): RoomView => ({ ...was, version, ...what });
/** The buttons that are offered for a row, in its menu. */
async function offered(page: Page, name: string): Promise<string[]> {
  const row = page.locator("#speakers li", { has: page.getByText(name, { exact: true }) });
  const more = row.locator("button[aria-expanded]");
  if (await more.isHidden()) return [];
  await more.click();
  return row.locator(".menu button").allTextContents();
}

scene("a host looks after the stage: each deed is the command that it says", async (scene) => {
  const browser = await launch(scene);
  const page = await visit(scene, browser, host, { room: live, hands: [{ subject: "name:Zoé", name: "Zoé" }, { subject: evil, name: evil }], me: { ...live, you: you({ role: "host", place: 1 }), stage: people.map((m) => ({ ...m, subject: `${m.name}@x` })) } });
  assert.equal(await page.textContent("h1"), "Town hall");
  assert.deepEqual(await page.locator("#speakers small").allTextContents(), ["you · host", "co-host", "muted for everybody"]);
  assert.deepEqual(await offered(page, "Ada"), ["Mute for everybody"]);
  assert.deepEqual(await offered(page, "Grace"), ["Mute for everybody", "Make host", "Make speaker", "Back to the audience", "Remove", "Ban"]);
  const grace = page.locator("#speakers li", { hasText: "Grace" });
  await grace.getByText("Back to the audience").click();
  await grace.getByText("Ban", { exact: true }).click();
  assert.equal(await page.textContent(".sure p"), english.say("deed.ban.sure", { name: "Grace" }));
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Cancel", "the way back is at hand");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".sure").count(), 0);
  await grace.getByText("Remove", { exact: true }).click();
  await page.locator(".sure").getByText("Remove", { exact: true }).click();
  assert.deepEqual(await page.locator("#hands bdi").allTextContents(), ["Zoé", evil], "in their order, by what is known of them");
  assert.equal(await page.textContent("#hands-title"), "2 hands are up");
  await page.getByLabel("Invite Zoé to speak").click();
  await page.getByLabel(`Lower ${evil}’s hand`).click();
  await page.click("#host-end");
  await page.locator(".sure").getByRole("button", { name: "End the room" }).click();
  assert.deepEqual(await commands(page), [
    { do: "promote", who: "Grace@x", role: "listener" }, { do: "remove", who: "Grace@x" }, { do: "invite", who: "name:Zoé" }, { do: "hands", up: false, who: evil }, { do: "end" },
  ]);
  assert.equal(await page.locator("img").count(), 0);
  await page.evaluate(() => ((globalThis as unknown as Globals).double.refuse = "last_host"));
  await page.getByLabel("Invite Zoé to speak").click();
  await page.waitForFunction((text) => document.querySelector("#host-error")?.textContent === text, english.say("command.last_host"));
});

scene("who sees what of it: a co-host, a listener, somebody without a name", async (scene) => {
  const browser = await launch(scene);
  const cohost = await visit(scene, browser, { ...host, role: "cohost", name: "Grace", sub: "grace@example.org" }, { room: live, me: { ...live, you: you({ role: "cohost", place: 2 }) } });
  assert.deepEqual(await offered(cohost, "Ada"), []);
  assert.deepEqual(await offered(cohost, evil), ["Unmute", "Back to the audience", "Remove"]);
  assert.equal(await cohost.isVisible("#host-queue"), true);
  assert.equal(await cohost.isVisible("#host-end"), false);
  const eve = await visit(scene, browser, listener, { room: live });
  assert.equal(await eve.isVisible("#host"), false);
  assert.equal(await eve.locator("button[aria-expanded]:visible").count(), 0);
  assert.equal(await eve.isVisible("#talk-open"), false);
  assert.equal(await eve.isVisible("#hand-toggle"), true);
  const nobody = await visit(scene, browser, { root: "closed", get: [""] }, { room: live });
  assert.equal(await nobody.isVisible("#talk"), false);
  const unmade = await visit(scene, browser, host, { room: view("closed") });
  assert.deepEqual([await unmade.isVisible("#host-create"), await unmade.isVisible("#host-end"), await unmade.isVisible("#host-queue")], [true, false, false]);
});

scene("from a raised hand to the stage and off it, told in words", async (scene) => {
  const browser = await launch(scene);
  const page = await visit(scene, browser, listener, { room: live, me: { ...live, you: you() }, oncommand: { ...live, version: 10, you: you({ hand: 2 }) } });
  const news = async (key: Parameters<Words["say"]>[0], filling = {}): Promise<void> => assert.equal(await page.textContent("#news"), english.say(key, filling));
  await page.click("#listen");
  await page.click("#hand-toggle");
  await page.waitForFunction((text) => document.querySelector("#hand-text")?.textContent === text, english.say("hand.lower"));
  assert.deepEqual(await commands(page), [{ do: "hands", up: true }]);
  assert.equal(await page.textContent("#hand-note"), english.say("hand.place", { place: 2, count: 2 }));
  let now = change(live, 11, { hands: 0, stage: [...people, { name: "eve@example.org", role: "speaker", muted: false }], you: eve() });
  await tell(page, now);
  await news("news.invited");
  assert.equal(await page.isVisible("#hand"), false);
  await page.click("#talk-open");
  assert.deepEqual([await page.inputValue("#talk-name"), await page.isEditable("#talk-name")], ["Eve", false], "under the name of the link");
  await page.click("#talk-start");
  assert.equal(await page.textContent("#talk-status"), english.say("talk.live"));
  now = change(now, 12, { stage: [...people, { name: "Eve", role: "speaker", muted: true }], you: eve({ muted: "host" }) });
  await tell(page, now);
  await news("news.muted");
  assert.equal(await page.textContent("#talk-status"), english.say("talk.silenced"));
  assert.equal(await page.isVisible("#talk-mute"), false);
  assert.equal(await page.isVisible("#hand-toggle"), true, "may ask for it");
  now = change(now, 13, { stage: [...people, { name: "Eve", role: "speaker", muted: false }], you: eve() });
  await tell(page, now);
  await news("news.unmuted");
  await tell(page, change(now, 11, { stage: people })); // a relay that lags behind
  await news("news.unmuted");
  now = change(now, 14, { stage: [{ name: "Grace", role: "host", muted: false }, ...people.slice(2), { name: "Eve", role: "speaker", muted: false }], you: eve({ place: 3 }) });
  await tell(page, now);
  await news("news.newhost", { name: "Grace" });
  await tell(page, change(now, 15, { stage: [...people, { name: "Eve", role: "cohost", muted: false }], you: eve({ role: "cohost" }) }));
  await news("news.cohost");
  assert.equal(await page.isVisible("#host-queue"), true);
  await tell(page, change(now, 16, { stage: people, you: you() }));
  await news("news.off");
  assert.deepEqual([await page.isVisible("#talk-live"), await page.isVisible("#talk-open"), await page.isVisible("#host")], [false, false, false], "off the air");
  await tell(page, change(now, 17, { state: "ended", stage: people, you: you() }));
  assert.equal(await page.textContent("#status"), english.say("status.ended"));
  assert.deepEqual([await page.isDisabled("#listen"), await page.isVisible("#talk"), await page.isVisible("#stage")], [true, false, false]);
  assert.equal(await page.evaluate(() => (globalThis as unknown as Globals).double.listener?.state), "idle");
});

scene("removed and banned are told apart, and nobody comes back by themselves", async (scene) => {
  const browser = await launch(scene);
  for (const [kind, button] of [["removed", "listen.back"], ["banned", "listen.again"]] as const) {
    const page = await visit(scene, browser, listener, { room: live, onstart: "failed", failure: kind });
    await page.click("#listen");
    assert.equal(await page.textContent("#status"), english.say(`failure.${kind}`));
    assert.equal(await page.textContent("#listen-text"), english.say(button));
    assert.equal(await page.textContent("#news"), "", "is said once");
  }
  // Who only speaks is told, too, and is at the microphone no more.
  const page = await visit(scene, browser, { ...listener, put: ["Eve"] }, { room: live, me: { ...live, you: eve() } });
  await page.click("#talk-open");
  await page.click("#talk-start");
  await page.evaluate(() => {
    const { double } = globalThis as unknown as Globals;
    Object.assign(double.talker ?? {}, { failure: { kind: "removed" } });
    double.talker?.set("failed");
  });
  assert.equal(await page.textContent("#news"), english.say("news.removed"));
  assert.equal(await page.isVisible("#talk-open"), false);
  await page.click("#listen");
  assert.equal(await page.textContent("#news"), "", "has come back");
});

scene("the room says what somebody is, not a name on the stage", async (scene) => {
  const browser = await launch(scene);
  const twins = change(live, 9, { stage: [...people, { name: "Eve", role: "speaker", muted: false }, { name: "Eve", role: "speaker", muted: true }] });
  // A namesake is on the stage: that is not this Eve, and neither is she muted.
  const other = await visit(scene, browser, listener, { room: twins, me: { ...twins, you: you() } });
  assert.equal(await other.isVisible("#hand-toggle"), true);
  assert.equal(await other.isVisible("#talk-open"), false);
  assert.equal(await other.locator("#speakers li", { hasText: "you" }).count(), 0);
  // The second of two of one name.
  const second = await visit(scene, browser, listener, { room: twins, me: { ...twins, you: eve({ place: 5, muted: "host", voice: "Eve~01020304" }) } });
  await second.waitForSelector("#talk-open:visible");
  assert.deepEqual(await second.locator("#speakers li small").allTextContents(), ["host", "co-host", "muted for everybody", "", "you · muted for everybody"]);
  assert.deepEqual(await second.locator("#speakers li bdi").allTextContents(), ["Ada", "Grace", evil, "Eve", "Eve"]);
  await second.click("#talk-open");
  assert.equal(await second.inputValue("#talk-name"), "Eve~01020304");
  // Somebody with a speaker's link was demoted before the page was opened: no news, and no microphone.
  const demoted = await visit(scene, browser, { ...listener, put: ["Eve"] }, { room: live, me: { ...live, you: you({ hand: 1 }) } });
  await demoted.waitForSelector("#hand-toggle:visible");
  assert.equal(await demoted.isVisible("#talk-open"), false);
  assert.equal(await demoted.textContent("#news"), "");
  assert.equal(await demoted.textContent("#hand-text"), english.say("hand.lower"), "the hand is up still");
  // Hosts command by subject.
  const hosting = { ...twins, stage: twins.stage.map((m, i) => ({ ...m, subject: `${i}@x` })), you: you({ role: "host", place: 1 }) };
  const ada = await visit(scene, browser, host, { room: twins, me: hosting });
  const row = ada.locator("#speakers li").nth(4);
  assert.deepEqual(await ada.locator("#speakers li small").allTextContents(), ["you · host", "co-host", "muted for everybody", "3@x", "4@x · muted for everybody"]);
  await row.locator("button[aria-expanded]").click();
  await row.getByText("Back to the audience").click();
  assert.deepEqual(await commands(ada), [{ do: "promote", who: "4@x", role: "listener" }]);
});

scene("a room announced ahead counts down and begins by itself", async (scene) => {
  const browser = await launch(scene);
  const ahead = view("closed", { state: "announced", version: 2, title: "Town hall", startsMs: Date.now() + 3_600_000, stage: people.slice(0, 1) });
  const page = await visit(scene, browser, listener, { room: ahead, onstart: "waiting" });
  assert.match((await page.textContent("#live")) ?? "", /^Starts in (1:00:00|59:\d\d)$/);
  assert.equal(await page.textContent("#status"), english.say("status.idle.announced"));
  const first = await page.textContent("#live");
  await page.waitForFunction((text) => document.querySelector("#live")?.textContent !== text, first);
  await page.click("#listen");
  assert.equal(await page.textContent("#status"), english.say("status.announced"));
  await tell(page, { ...ahead, version: 3, state: "live" });
  assert.equal(await page.textContent("#live"), "Live");
  assert.equal(await page.textContent("#news"), english.say("news.started"));
  assert.equal(await page.textContent("#status"), english.say("status.waiting"));

  // Who does not listen sees it, too: when the time has come the page asks.
  const idle = await visit(scene, browser, listener, { room: { ...ahead, startsMs: Date.now() - 1 } });
  assert.equal(await idle.textContent("#live"), english.say("room.starts.now"));
  await idle.evaluate((room) => ((globalThis as unknown as Globals).double.room = room), { ...ahead, version: 3, state: "live" });
  await idle.waitForFunction(() => document.querySelector("#live")?.textContent === "Live");
  const begun = await visit(scene, browser, host, { room: ahead });
  await begun.click("#host-start");
  assert.deepEqual(await commands(begun), [{ do: "start" }]);
});

scene("the stage by keyboard, in French, and axe finds nothing", async (scene) => {
  const browser = await launch(scene);
  const axe = readFileSync(join(ROOT, "web/node_modules/axe-core/axe.min.js"), "utf8");
  for (const [colorScheme, width, claims] of [["light", 320, host], ["dark", 1200, host], ["dark", 320, listener]] as const) {
    const page = await visit(scene, browser, claims, { room: live, hands: [{ subject: "name:Zoé", name: "Zoé" }, { subject: "somebody.with.a.long.name@example.org", name: "Somebody With a Long Name" }], me: { ...live, you: you({ role: claims === host ? "host" : "listener", place: claims === host ? 1 : 0 }) }, ...(claims === listener && { oncommand: { ...live, version: 10, you: you({ hand: 3 }) } }) }, { colorScheme, viewport: { width, height: 800 } });
    const check = async (what: string): Promise<void> => {
      const found = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("; ")}`);
      });
      assert.deepEqual(found, [], `${what}, ${colorScheme}, ${width} px`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${what} is too wide for ${width} px`);
    };
    await page.addScriptTag({ content: axe });
    await page.selectOption("#language", "fr");
    if (claims === host) {
      const more = page.locator("#speakers li", { hasText: "Grace" }).locator("button[aria-expanded]");
      await more.focus();
      await page.keyboard.press("Enter");
      assert.equal(await more.getAttribute("aria-expanded"), "true");
      await check("the menu");
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Couper pour tous");
      await page.keyboard.press("Escape");
      assert.deepEqual([await more.getAttribute("aria-expanded"), await more.evaluate((e) => e === document.activeElement)], ["false", true]);
      await page.focus("#host-end");
      await page.keyboard.press("Enter");
      await check("the question");
      await page.keyboard.press("Escape");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "host-end", "the focus comes back");
    } else {
      await page.focus("#hand-toggle");
      await page.keyboard.press("Space");
      await page.waitForFunction(() => document.querySelector("#hand-text")?.textContent === "Baisser la main");
    }
    await check("the stage");
  }
});
