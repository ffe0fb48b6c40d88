/** The events in which browsers let a page begin to sound. */
const GESTURES = ["pointerup", "touchend", "click", "keydown"] as const;

/** Calls back on each gesture while armed. */
export class Gestures {
  private readonly target: EventTarget | null;
  private readonly callback: () => void;
  private armed = false;

  /** target is listened to while armed; null: nothing is. */
  constructor(target: EventTarget | null, callback: () => void) {
    this.target = target;
    this.callback = callback;
  }

  /** Begins or ends to listen. */
  arm(on: boolean): void {
    if (on === this.armed) return;
    this.armed = on;
    for (const type of GESTURES) {
      if (on) this.target?.addEventListener(type, this.callback, { capture: true, passive: true });
      else this.target?.removeEventListener(type, this.callback, { capture: true });
    }
  }
}
