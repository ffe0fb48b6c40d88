import test, { type TestContext } from "node:test";

/**
 * A test that has started things: processes, browsers, servers. They end in the
 * reverse order, whatever becomes of the test, and know whether it has failed.
 */
export class Scene {
  failed = false;
  readonly #ends: (() => unknown)[] = [];

  constructor(
    readonly name: string,
    readonly context: TestContext,
  ) {}

  /** Runs end when the test is over. */
  after(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** A line for who reads the results. */
  say(line: string): void {
    this.context.diagnostic(line);
  }

  /** Ends all; throws the first thing that went wrong at it. */
  async close(): Promise<void> {
    const wrong: unknown[] = [];
    for (const end of this.#ends.reverse()) await Promise.resolve().then(end).catch((error: unknown) => wrong.push(error));
    if (wrong.length > 0 && !this.failed) throw wrong[0];
  }
}

/** A test with a scene. It fails when play throws, when it takes longer than withinMs, or when its end is not clean. */
export function scene(name: string, play: (scene: Scene) => Promise<void>, withinMs = 90_000): void {
  test(name, async (context) => {
    const stage = new Scene(name, context);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not over after ${withinMs} ms`)), withinMs);
    });
    try {
      await Promise.race([play(stage), late]);
    } catch (error) {
      stage.failed = true;
      throw error;
    } finally {
      clearTimeout(timer);
      await stage.close();
    }
  });
}
