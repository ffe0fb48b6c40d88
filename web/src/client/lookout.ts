/**
 * How often lobbies are asked while no relay carries a client that one has carried
 * before, in ms: often, as long as a relay may be starting again, and then as seldom as
 * the decider asks anyway. Up to so much more is drawn, so that those who lost the same
 * relay do not come back at one moment.
 */
const SOON = 2000;
const SOON_MORE = 1500;
const SOON_FOR = 120_000;
const LATER = 20_000;
const LATER_MORE = 10_000;

/**
 * Watches, while no relay carries a client, for lobbies to answer again. The decider
 * dials less and less often a relay that does not answer, which spares one that is
 * overloaded; a relay that was away and now is there need not wait for that.
 */
export class Lookout {
  private since: number | undefined; // nobody has carried it
  private askAt = 0;
  private silent = false; // nobody answered when lobbies were asked last

  constructor(private readonly random: () => number) {}

  /** Is told at now (ms) whether a relay carries the client, and says whether to ask. */
  look(carried: boolean, now: number): boolean {
    if (carried) {
      this.since = undefined;
      this.silent = false;
      return false;
    }
    if (this.since === undefined) {
      this.since = now;
      this.askAt = now + this.pause(0);
    }
    if (now < this.askAt) return false;
    this.askAt = now + this.pause(now - this.since);
    return true;
  }

  private pause(away: number): number {
    return away < SOON_FOR ? SOON + this.random() * SOON_MORE : LATER + this.random() * LATER_MORE;
  }

  /** No lobby has answered. */
  unanswered(): void {
    this.silent = this.since !== undefined;
  }

  /** A lobby has. True if none did before: whatever was away is back, and may be dialled at once. */
  answered(): boolean {
    const { silent } = this;
    this.silent = false;
    return silent;
  }
}
