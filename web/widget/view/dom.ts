/**
 * Draws a description of nodes into the document and afterwards changes only what differs. It is written here because
 * it is a fifth of the smallest library for it, every page that carries the widget pays for its size, and nodes made one
 * by one pass the strictest Content-Security-Policy and Trusted Types.
 *
 * Nodes are matched by key; without one, by their place among their siblings, where `null` and `false` keep a place.
 * So a condition does not disturb its neighbours, and text that grows stays in its element.
 */

export type Child = VNode | string | number | boolean | null | undefined | readonly Child[];
type Handler = { bivarianceHack(event: Event): unknown }["bivarianceHack"];
type Value = string | number | boolean | null | undefined | Handler;

export interface VNode {
  /** Empty for text. */
  readonly tag: string;
  readonly key: string | undefined;
  readonly props: Readonly<Record<string, Value>>;
  readonly children: readonly Child[];
}

interface Live {
  readonly vnode: VNode;
  readonly dom: Node;
}

/** Attributes that say `false`, where all others are then absent. */
const STATES = /^aria-(expanded|pressed|modal|invalid)$/;
const SVG = "http://www.w3.org/2000/svg";
const NO_PROPS: Readonly<Record<string, Value>> = {};
const drawn = new WeakMap<Node, Map<string, Live>>();

/** A name for "several nodes side by side" in JSX. */
export const Fragment = "fragment";

export function h(tag: string, props: Record<string, Value> | null, ...children: Child[]): VNode {
  const { key, ...rest } = props ?? NO_PROPS;
  return { tag, key: key === undefined ? undefined : String(key), props: rest, children };
}

export declare namespace h {
  namespace JSX {
    type Element = VNode;
    interface IntrinsicElements {
      [tag: string]: {
        readonly key?: string | number;
        readonly onclick?: (event: MouseEvent) => unknown;
        readonly onkeydown?: (event: KeyboardEvent) => unknown;
        readonly oninput?: (event: InputEvent) => unknown;
        readonly onsubmit?: (event: SubmitEvent) => unknown;
        readonly onfocusout?: (event: FocusEvent) => unknown;
        readonly onscroll?: (event: Event) => unknown;
        readonly [attribute: string]: Value | Child;
      };
    }
    interface ElementChildrenAttribute {
      readonly children: Child;
    }
  }
}

/** Everything gets a key: its own, or its place. Arrays and fragments count as one place. */
function flatten(children: readonly Child[], prefix: string, out: Map<string, VNode>): Map<string, VNode> {
  children.forEach((child, i) => {
    if (child === null || child === undefined || typeof child === "boolean") return;
    const place = `${prefix}${i}`;
    if (typeof child !== "object") {
      out.set(place, { tag: "", key: undefined, props: NO_PROPS, children: [child] });
    } else if ("tag" in child && child.tag !== Fragment) out.set(child.key ?? place, child);
    else flatten("tag" in child ? child.children : child, `${place}.`, out);
  });
  return out;
}

function setProp(element: Element, name: string, value: Value): void {
  const target = element as unknown as Record<string, unknown>;
  if (typeof value === "function") {
    // What a listener returns means nothing, whereas `false` from a listener property cancels the event.
    target[name] = (event: Event) => void value(event);
  } else if (name.startsWith("on")) {
    target[name] = null;
  } else if (name === "value") {
    // What stands in a field is a property: its attribute is only the first value.
    if (target.value !== value) target.value = value ?? "";
  } else if (STATES.test(name)) {
    element.setAttribute(name, String(value));
  } else if (value === undefined || value === null || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

function updateProps(element: Element, before: VNode["props"], after: VNode["props"]): void {
  for (const name in before) if (!(name in after)) setProp(element, name, undefined);
  for (const name in after) {
    if (before[name] !== after[name] || name === "value") setProp(element, name, after[name]);
  }
}

function create({ tag, children }: VNode, parent: Node): Node {
  if (!tag) return document.createTextNode(String(children[0]));
  const svg = tag === "svg" || (parent instanceof Element && parent.namespaceURI === SVG);
  return svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
}

function place(vnode: VNode, live: Live | undefined, parent: Node): Live {
  if (live?.vnode === vnode) return live;
  const same = live?.vnode.tag === vnode.tag ? live : undefined;
  const dom = same?.dom ?? create(vnode, parent);
  if (dom instanceof Element) {
    updateProps(dom, same?.vnode.props ?? NO_PROPS, vnode.props);
    draw(dom, vnode.children);
  } else if (same && same.vnode.children[0] !== vnode.children[0]) dom.nodeValue = String(vnode.children[0]);
  return { vnode, dom };
}

/** Makes `parent` contain just `children`. What was drawn there before is kept where it fits. */
export function draw(parent: Node, children: readonly Child[]): void {
  const before = drawn.get(parent);
  const wanted = flatten(children, "", new Map());
  const now = new Map<string, Live>();
  for (const [key, { dom, vnode }] of before ?? []) {
    if (wanted.get(key)?.tag !== vnode.tag) parent.removeChild(dom);
  }
  let next = before ? parent.firstChild : null;
  for (const [key, vnode] of wanted) {
    const live = place(vnode, before?.get(key), parent);
    if (live.dom === next) next = next.nextSibling;
    else parent.insertBefore(live.dom, next);
    now.set(key, live);
  }
  drawn.set(parent, now);
}
