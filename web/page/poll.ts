/**
 * Asks again and again while the page is looked at, and at once when somebody
 * comes back to it. Waits everyMs, give or take a quarter, so that the pages of a
 * large audience do not ask in step. ask must not throw. Returns what ends it.
 */
export function poll(everyMs: number, ask: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = false;
  const look = async (): Promise<void> => {
    clearTimeout(timer);
    if (document.hidden || asking) return;
    asking = true;
    await ask();
    asking = false;
    timer = setTimeout(() => void look(), everyMs * (0.75 + Math.random() / 2));
  };
  const seen = (): void => void look();
  document.addEventListener("visibilitychange", seen);
  void look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}
