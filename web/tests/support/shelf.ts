import { MemoryShelf, type Shelf } from "../../widget/core/shelf";

type Listener = (key: string, value: string | null) => void;

/** One browser: what a tab writes, its other tabs hear of, as with localStorage; late, while it is busy. */
export class Browser {
  private untold: (() => void)[] | null = null;
  private readonly storage = new MemoryShelf();
  private readonly tabs = new Map<Shelf, Set<Listener>>();

  tab(): Shelf {
    const { storage } = this;
    const tab: Shelf = {
      get: (key) => storage.get(key),
      keys: (prefix) => storage.keys(prefix),
      set: (key, value) => {
        if (storage.get(key) === value) return;
        storage.set(key, value);
        this.tell(tab, key, value);
      },
      remove: (key) => {
        if (storage.get(key) === null) return;
        storage.remove(key);
        this.tell(tab, key, null);
      },
      watch: (listener) => {
        this.tabs.get(tab)?.add(listener);
        return () => this.tabs.get(tab)?.delete(listener);
      },
    };
    this.tabs.set(tab, new Set());
    return tab;
  }

  /** News waits from here on, until the function that this returns is called. */
  busy(): () => void {
    this.untold = [];
    return () => {
      const news = this.untold ?? [];
      this.untold = null;
      for (const tell of news) tell();
    };
  }

  private tell(from: Shelf, key: string, value: string | null): void {
    if (this.untold) {
      this.untold.push(() => this.tell(from, key, value));
      return;
    }
    for (const [tab, listeners] of this.tabs) {
      if (tab !== from) for (const listener of listeners) listener(key, value);
    }
  }
}
