/** Where the browser keeps things: localStorage where it may be used, memory where it may not (private windows). */

export interface Shelf {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  /** All keys that begin so. */
  keys(prefix: string): string[];
  /** Calls back when ANOTHER tab changes a key (`value` null: removed). Returns the way to stop. */
  watch(callback: (key: string, value: string | null) => void): () => void;
}

export class MemoryShelf implements Shelf {
  private readonly values = new Map<string, string>();

  get(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  set(key: string, value: string): void {
    this.values.set(key, value);
  }
  remove(key: string): void {
    this.values.delete(key);
  }
  keys(prefix: string): string[] {
    return [...this.values.keys()].filter((key) => key.startsWith(prefix));
  }
  watch(): () => void {
    return () => undefined;
  }
}

class BrowserShelf implements Shelf {
  constructor(private readonly storage: Storage) {}

  get(key: string): string | null {
    return this.storage.getItem(key);
  }
  set(key: string, value: string): void {
    try {
      this.storage.setItem(key, value);
    } catch {
      // The quota of the page is used up by others: the conversation goes on, it is only not kept.
    }
  }
  remove(key: string): void {
    this.storage.removeItem(key);
  }
  keys(prefix: string): string[] {
    return Object.keys(this.storage).filter((key) => key.startsWith(prefix));
  }
  watch(callback: (key: string, value: string | null) => void): () => void {
    const heard = (event: StorageEvent) => {
      if (event.storageArea === this.storage && event.key) callback(event.key, event.newValue);
    };
    window.addEventListener("storage", heard);
    return () => window.removeEventListener("storage", heard);
  }
}

/** `kind` localStorage is shared between tabs and outlives them; sessionStorage belongs to one tab. */
export function openShelf(kind: "localStorage" | "sessionStorage"): Shelf {
  try {
    const storage = window[kind];
    storage.getItem("kefu");
    return new BrowserShelf(storage);
  } catch {
    return new MemoryShelf();
  }
}
