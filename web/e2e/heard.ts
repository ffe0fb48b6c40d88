/** What a page has put out: recorded in its worklet, looked at here. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Listener, ListenerStats } from "../src/client/types";
import { analyse, type Heard } from "./tone";

interface Globals {
  stentorListener: Listener;
  kept?: Float32Array;
}

/** What the page's listener counts. */
export const stats = (page: Page): Promise<ListenerStats> => page.evaluate(() => (globalThis as unknown as Globals).stentorListener.stats());

/** Ends what heard looks at here: to look at a minute of it keeps a page, and all others, from playing. */
export const keep = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const page = globalThis as unknown as Globals;
    page.kept = await page.stentorListener.recorded();
  });

/** What the page has put out so far, or until keep, which is to be a tone of hz. */
export async function heard(page: Page, hz: number): Promise<Heard> {
  const base64 = await page.evaluate(async () => {
    const page = globalThis as unknown as Globals;
    const samples = page.kept ?? (await page.stentorListener.recorded());
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return btoa(text);
  });
  const bytes = Buffer.from(base64, "base64");
  return analyse(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)), hz);
}

/**
 * The tone has no hole and no jump: a packet that is not there turns its phase by
 * anything up to half a turn. Where the machine was too busy to feed its own sound
 * card, as the worklet counts, there may be holes as long as that, and no longer.
 */
export function assertUnbroken(h: Heard, { underruns }: ListenerStats): void {
  const what = `${JSON.stringify(h)}, ${underruns} samples too late for the sound card`;
  if (underruns === 0) {
    assert.deepEqual(h.gaps, [], what);
    assert.ok(h.largestTurn < 0.5, `the tone jumps: ${what}`);
    return;
  }
  const torn = h.gaps.reduce((sum, gap) => sum + gap.ms, 0);
  assert.ok(torn <= underruns / 48 + 10 * h.gaps.length, what);
}
