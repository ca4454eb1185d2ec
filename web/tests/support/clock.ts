import type { Clock } from "../../widget/core/clock";

/** Time that stands still until it is moved. */
export class FakeClock implements Clock {
  private time = 1_700_000_000_000;
  private timers: { at: number; callback: () => void }[] = [];
  chance = 0;

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((t) => t !== timer);
    };
  }

  random(): number {
    return this.chance;
  }

  /** Lets `ms` pass; what falls due runs in order, and may set further timers. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((t) => t !== next);
      this.time = next.at;
      next.callback();
    }
    this.time = end;
  }
}
