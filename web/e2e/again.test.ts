/** The only relay dies, and comes back: with another certificate, and nobody presses anything. */
import assert from "node:assert/strict";
import { launch, open } from "./browser";
import { stats } from "./heard";
import { eventually, pause, speak, startRelay } from "./network";
import { scene } from "./scene";

scene("the only relay is killed and started again: it plays on by itself", async (scene) => {
  const relay = await startRelay(scene, "relay-a");
  const voice = await speak(scene, [relay], "town", "ada");
  const page = await open(scene, await launch(scene), `${relay.http}/r/town`, { complaints: true }); // a dead relay is complained of
  const played = async (): Promise<number> => (await stats(page)).tracks.reduce((sum, track) => sum + track.played, 0);
  await page.click("#listen");
  await eventually("it plays", async () => (await played()) > 50);

  await relay.process.kill();
  await voice.kill();
  await page.waitForSelector('#status[data-tone="busy"]'); // it says that it looks for the connection
  await pause(8000); // so that it has tried in vain more than once
  const fresh = await startRelay(scene, "relay-a", "--listen", new URL(relay.url).host, "--http", new URL(relay.http).host);
  const since = Date.now();
  await speak(scene, [fresh], "town", "ada");
  const before = await played();
  await eventually("it plays again", async () => (await played()) > before + 20, 30_000);
  scene.say(`played again ${Date.now() - since} ms after the relay was back`);
  assert.equal(await page.getAttribute("#listen", "data-deed"), "stop", "nobody had to press");
});
