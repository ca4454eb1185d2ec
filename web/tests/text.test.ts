import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../widget/core/protocol";
import { STRINGS } from "../widget/strings";
import { accent } from "../widget/text/colour";
import { chooseLang, pick, scriptOf } from "../widget/text/language";
import {
  type Block,
  type Inline,
  parseInline,
  parseMarkdown,
  safeHref,
  sourceHref,
  toPlain,
} from "../widget/text/markdown";
import { transcript } from "../widget/text/transcript";
import { dayName, readDate } from "../widget/text/when";

describe("markdown", () => {
  it("makes paragraphs, breaks and bold", () => {
    expect(parseMarkdown("One\ntwo **three**\n\nFour")).toEqual([
      {
        type: "paragraph",
        content: [
          { type: "text", text: "One" },
          { type: "break" },
          { type: "text", text: "two " },
          { type: "bold", content: [{ type: "text", text: "three" }] },
        ],
      },
      { type: "paragraph", content: [{ type: "text", text: "Four" }] },
    ]);
  });

  it("makes lists, also right after a line and over blank lines, and keeps where they start", () => {
    const blocks = parseMarkdown("Do this:\n3. first\n\n4. second\n- other\nafter");
    expect(blocks.map((b) => b.type)).toEqual(["paragraph", "list", "list", "paragraph"]);
    expect(blocks[1]).toMatchObject({ ordered: true, start: 3 });
    expect((blocks[1] as Extract<Block, { type: "list" }>).items).toHaveLength(2);
    expect(blocks[2]).toMatchObject({ ordered: false });
  });

  it.each(["1.5 % a year", "3.14", "-", "-5 degrees", "2024年"])("takes %j for no list", (text) => {
    expect(parseMarkdown(text).map((b) => b.type)).toEqual(["paragraph"]);
  });

  it("links only where a customer may be sent", () => {
    const href = (text: string) => parseInline(text).find((i) => i.type === "link");
    expect(href("[call](tel:4005550119)")).toMatchObject({ href: "tel:4005550119" });
    expect(href("[mail](mailto:a@b.example)")).toMatchObject({ href: "mailto:a@b.example" });
    expect(href("see https://a.example/b?c=1。再说")).toMatchObject({ href: "https://a.example/b?c=1" });
    expect(href("(https://a.example/x).")).toMatchObject({ href: "https://a.example/x" });
    for (const bad of [
      "javascript:alert(1)",
      "data:text/html,x",
      "vbscript:x",
      "//a.example",
      "/etc",
      "file:///x",
    ]) {
      expect(safeHref(bad)).toBeNull();
      expect(href(`[x](${bad})`)).toBeUndefined();
    }
    expect(safeHref(" jAvAsCrIpT:alert(1)")).toBeNull();
    expect(safeHref("java\nscript:alert(1)")).toBeNull();
  });

  it("links a source to its page, wherever the server stands", () => {
    expect(sourceHref("https://a.example/b", "https://kefu.example")).toBe("https://a.example/b");
    expect(sourceHref("/sources/x", "https://kefu.example/bot")).toBe("https://kefu.example/bot/sources/x");
    expect(sourceHref("/sources/x", "wss://kefu.example")).toBe("https://kefu.example/sources/x");
    for (const bad of ["//a.example", "/\\a.example", "javascript:alert(1)", "sources/x"])
      expect(sourceHref(bad, "https://kefu.example")).toBeNull();
  });

  it("leaves HTML as the text it is", () => {
    const text = "<img src=x onerror=alert(1)> <b>no</b>";
    expect(parseMarkdown(text)).toEqual([{ type: "paragraph", content: [{ type: "text", text }] }]);
  });

  it("marks sources, not addresses in brackets", () => {
    expect(parseInline("Free.[1][12]").map((i) => i.type)).toEqual(["text", "mark", "mark"]);
    expect(parseInline("[1](https://a.example)").map((i) => i.type)).toEqual(["link"]);
  });

  it("loses no word of any text, and ends", () => {
    const words = (inlines: readonly Inline[]): string =>
      inlines.map((i) => (i.type === "text" ? i.text : "content" in i ? words(i.content) : "")).join("");
    const alphabet = fc.constantFrom(
      "a",
      "客",
      "*",
      "**",
      "[",
      "]",
      "(",
      ")",
      "1",
      ".",
      "-",
      " ",
      "\n",
      "https://a.b/",
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 40 }), (parts) => {
        const source = parts.join("");
        const out = parseMarkdown(source)
          .map((b) => (b.type === "paragraph" ? words(b.content) : b.items.map(words).join("")))
          .join("");
        const letters = (s: string) => s.replace(/[^a客]/g, "");
        // The address of a link is the one thing that may go from view.
        const hidden = /\]\([^\n]*[a客]/.test(source);
        if (!hidden) expect(letters(out)).toBe(letters(source));
      }),
      { numRuns: 500 },
    );
  });

  it("is fast on text that was made to be slow", () => {
    const started = performance.now();
    for (const part of ["[", "**a", "[a](", "https://a.", "(", "1. "])
      parseMarkdown(part.repeat(1300).slice(0, 4000));
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("can be read as plain words", () => {
    expect(toPlain("**Hi** [there](https://a.example)[1]\n\n- one\n- two")).toBe("Hi there one; two");
  });
});

describe("a hotline", () => {
  const hrefs = (text: string) => parseInline(text).flatMap((i) => (i.type === "link" ? [i.href] : []));
  it("can be called", () => {
    expect(hrefs("请拨打400-555-0119。")).toEqual(["tel:4005550119"]);
    expect(hrefs("Call 0571-8888-1234, or 400-555-0119.")).toEqual(["tel:057188881234", "tel:4005550119"]);
  });
  it("is no card, no date and no part of a longer number", () => {
    expect(hrefs("6222-0212-3456-7890, 2025-01-31, 1-400-555-0119, 400-555-01190")).toEqual([]);
  });
});

describe("a transcript", () => {
  const said = (seq: number, role: Message["role"], text: string, day: number): Message => ({
    ...{ seq, role, text, at: new Date(2025, 2, day, 9, seq).toISOString() },
    ...{ quick_replies: [], citations: [], vote: null, rateable: false },
  });
  it("has a line a message, under its day", () => {
    const messages = [
      said(1, "customer", "Hi **there**", 1),
      said(2, "bot", "Call **us**.[1]", 1),
      said(3, "system", "Ended.", 2),
    ];
    expect(transcript(messages, "Orchid", STRINGS.en)).toBe(
      "Orchid\n\nMarch 1, 2025\n\n[09:01] You: Hi **there**\n[09:02] Orchid: Call us.\n" +
        "\nMarch 2, 2025\n\n[09:03] Ended.\n",
    );
  });
});

describe("colours", () => {
  const rgb = (css: string) => css.match(/\d+/g)?.map(Number) as [number, number, number];
  const linear = (c: number) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (css: string) => {
    const [r, g, b] = rgb(css);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const ratio = (a: string, b: string) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
    return (high + 0.05) / (low + 0.05);
  };

  it("can be read in both themes, whatever colour a page chooses", () => {
    const hex = fc.integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, "0")}`);
    fc.assert(
      fc.property(hex, (colour) => {
        for (const dark of [false, true]) {
          const { fill, onFill, text } = accent(colour, dark);
          expect(ratio(fill, onFill)).toBeGreaterThanOrEqual(4.5);
          for (const ground of dark
            ? ["rgb(23 28 27)", "rgb(43 49 48)"]
            : ["rgb(255 255 255)", "rgb(238 240 237)"]) {
            expect(ratio(text, ground)).toBeGreaterThanOrEqual(4.5);
          }
        }
      }),
    );
  });

  it("reads short forms, and takes the default for what is no colour", () => {
    expect(accent("#fa0", false).fill).toBe(accent("#ffaa00", false).fill);
    expect(accent("url(x)", false)).toEqual(accent("#1f5f5b", false));
  });
});

describe("languages", () => {
  it("chooses the first that is spoken here", () => {
    expect(chooseLang("auto", "fr", "zh-Hans-CN", "en")).toBe("zh");
    expect(chooseLang(null, undefined, "EN_gb")).toBe("en");
    expect(chooseLang("fr")).toBe("en");
  });
  it("names the language of a text by its script", () => {
    expect([scriptOf("转账 limit"), scriptOf("limit 5")]).toEqual(["zh-CN", "en"]);
  });
  it("falls back to the text there is", () => {
    expect(pick({ en: "Hello" }, "zh")).toBe("Hello");
    expect(pick({}, "zh")).toBeUndefined();
  });
});

describe("strings", () => {
  const { en, zh } = STRINGS;
  it("have the same keys in both languages, of the same kind", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as (keyof typeof en)[]) expect(typeof zh[key]).toBe(typeof en[key]);
  });
  it("are in their language", () => {
    const said = (strings: typeof en) =>
      Object.entries(strings)
        .filter(([key]) => key !== "locale" && key !== "wrote")
        .map(([, value]) =>
          typeof value === "function" ? (value as (...a: unknown[]) => string)(2, 3) : value,
        );
    for (const text of said(zh)) expect(text).toMatch(/\p{Script=Han}/u);
    for (const text of said(en)) expect(text).not.toMatch(/\p{Script=Han}/u);
  });
});

describe("days", () => {
  const now = new Date(2025, 2, 10, 0, 30);
  it("are named as people name them", () => {
    expect(dayName(new Date(2025, 2, 10, 0, 1), now, STRINGS.zh)).toBe("今天");
    expect(dayName(new Date(2025, 2, 9, 23, 59), now, STRINGS.zh)).toBe("昨天");
    expect(dayName(new Date(2025, 2, 3, 12), now, STRINGS.zh)).toContain("3月3日");
    expect(dayName(new Date(2024, 11, 31), now, STRINGS.en)).toContain("2024");
  });
  it("never are invalid", () => {
    expect(Number.isNaN(readDate("not a date").getTime())).toBe(false);
  });
});
