// What a cell has beside the language's own: docs/cells.md.

/** The tools. An unknown name throws a TypeError that lists the nearest. */
declare const tools: Tools;

interface Tools {
  /** Finds tools by what they should do, best first: words, at most 1,000 characters. `limit` is 10 unless said. */
  $search(query: string, options?: { limit?: number }): Promise<{ name: string; description: string; server?: string }[]>;
  /** Returns the TypeScript declaration of a tool, or of several. */
  $describe(names: string | readonly string[]): Promise<string>;
}

/** All tools, sorted by name. */
declare const ALL_TOOLS: readonly { readonly name: string; readonly description: string }[];

/** What a failed call of a tool rejects with. */
declare class ToolError extends Error {
  readonly tool: string;
  readonly code: "failed" | "invalid_input" | "unavailable" | "outcome_unknown" | "timed_out" | "cancelled" | "too_large" | "denied" | "internal";
  readonly retryable: boolean;
  readonly data: any;
}

/** What a call rejects with that may or may not have happened: its connection, or its session, was lost meanwhile. */
declare class OutcomeUnknownError extends ToolError {
  readonly code: "outcome_unknown";
  /** The call, as the session's events name it. */
  readonly callId: string;
}

/** What `store` throws when a limit is reached. */
declare class QuotaError extends RangeError {}

/** A content block of MCP. */
type ContentBlock =
  | { type: "text"; text: string; [key: string]: unknown }
  | { type: "image"; data: string; mimeType: string; [key: string]: unknown }
  | { type: "audio"; data: string; mimeType: string; [key: string]: unknown }
  | { type: "resource"; resource: { uri: string; mimeType?: string; text?: string; blob?: string; [key: string]: unknown }; [key: string]: unknown }
  | { type: "resource_link"; uri: string; name: string; [key: string]: unknown };

/** Outputs text: strings as they are, other primitives by `String`, the rest as JSON. */
declare function text(value: unknown): void;
/** Outputs a picture: a data URL, an object with `image_url`, or an MCP image block. */
declare function image(value: string | { image_url: string | { url: string } } | { type: "image"; data: string; mimeType: string }): void;
/** Outputs a sound: a data URL, an object with `audio_url`, or an MCP audio block. */
declare function audio(value: string | { audio_url: string | { url: string } } | { type: "audio"; data: string; mimeType: string }): void;
/** Outputs any MCP content block. */
declare function content(block: ContentBlock): void;
/** Sends a message to the owner of the session, while the cell runs. */
declare function notify(value: unknown): void;
/** Keeps a JSON value for later cells. */
declare function store(key: string, value: unknown): void;
/** Returns a fresh copy of a stored value; undefined when there is none. */
declare function load<T = any>(key: string): T | undefined;
/** Lets whoever waits for the cell have what there is. */
declare function yield_control(): void;
/** Ends the cell at once, successfully; nothing catches it. */
declare function exit(): never;

declare function setTimeout<A extends unknown[]>(callback: (...args: A) => unknown, delay?: number, ...args: A): number;
declare function setInterval<A extends unknown[]>(callback: (...args: A) => unknown, delay?: number, ...args: A): number;
declare function clearTimeout(id?: number): void;
declare function clearInterval(id?: number): void;
declare function queueMicrotask(callback: () => unknown): void;
declare function structuredClone<T>(value: T, options?: { transfer?: ArrayBuffer[] }): T;
declare function atob(data: string): string;
declare function btoa(data: string): string;

declare const console: {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  assert(condition?: unknown, ...values: unknown[]): void;
  dir(value?: unknown, options?: unknown): void;
  dirxml(...values: unknown[]): void;
  table(data?: unknown, columns?: string[]): void;
  group(...label: unknown[]): void;
  groupCollapsed(...label: unknown[]): void;
  groupEnd(): void;
  count(label?: string): void;
  countReset(label?: string): void;
  time(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  timeEnd(label?: string): void;
  clear(): void;
};

/** A clock that moves with events only. */
declare const performance: { now(): number; readonly timeOrigin: number; toJSON(): { timeOrigin: number } };

/** Drawn from the session's seed: the same again in a replay, and not for secrets. */
declare const crypto: {
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
};

declare class TextEncoder {
  readonly encoding: "utf-8";
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string | URL, base?: string | URL): boolean;
  static parse(url: string | URL, base?: string | URL): URL | null;
  href: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  readonly origin: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
  toJSON(): string;
}

declare class URLSearchParams {
  constructor(init?: string | URLSearchParams | Record<string, string> | Iterable<readonly [string, string]>);
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(callback: (value: string, key: string, parent: URLSearchParams) => void, thisArg?: unknown): void;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  entries(): IterableIterator<[string, string]>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}

declare class Event {
  constructor(type: string, options?: { bubbles?: boolean; cancelable?: boolean; composed?: boolean });
  readonly type: string;
  readonly target: EventTarget | null;
  readonly currentTarget: EventTarget | null;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly defaultPrevented: boolean;
  readonly isTrusted: boolean;
  readonly timeStamp: number;
  composedPath(): EventTarget[];
  preventDefault(): void;
  stopPropagation(): void;
  stopImmediatePropagation(): void;
}

type EventListener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

declare class EventTarget {
  addEventListener(type: string, callback: EventListener | null, options?: boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal }): void;
  removeEventListener(type: string, callback: EventListener | null, options?: boolean | { capture?: boolean }): void;
  dispatchEvent(event: Event): boolean;
}

declare class AbortSignal extends EventTarget {
  private constructor();
  static abort(reason?: unknown): AbortSignal;
  static timeout(milliseconds: number): AbortSignal;
  static any(signals: Iterable<AbortSignal>): AbortSignal;
  readonly aborted: boolean;
  readonly reason: any;
  onabort: ((event: Event) => unknown) | null;
  throwIfAborted(): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}
