/** Time and chance as the network core sees them, so that tests can hold both. */

export interface Clock {
  now(): number;
  /** Calls back after `ms` milliseconds; returns the way to call it off. */
  after(ms: number, callback: () => void): () => void;
  /** At least 0, below 1. */
  random(): number;
}

export const realClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
