// What our server tells of models, keys and engines (docs/api.md), as far as it is shown. All texts
// are untrusted: names and remarks come from files and hubs.

/** The way to `jan/v1` of our server; throws what it says against a request. */
export interface House {
  get<Answer>(path: string): Promise<Answer>;
  send<Answer>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Answer>;
  socket(path: string): WebSocket;
}

export interface Listing<Row> {
  data: Row[];
}

/** A model of `GET /models?details=true`; 0 and "" where nobody says. */
export interface Model {
  id: string;
  name: string;
  engine: string;
  /** ready, not-running, needs-key, not-downloaded, missing-file, broken */
  state: string;
  reason: string;
  origin: string;
  /** It lies on the disk of another program. */
  foreign: boolean;
  /** It runs on this machine, be it in another program. */
  local: boolean;
  /** It can be loaded into memory here. */
  loads: boolean;
  size: number;
  quantisation: string;
  architecture: string;
  context: number;
  trained: number;
  vision: boolean;
  reasoning: boolean;
  fit: "" | "fits" | "slow" | "too large";
  fit_note: string;
  removable: boolean;
  warnings: string[];
}

/** All of one model (`GET /models/{model}`), as far as it is shown. */
export interface Whole {
  source: string;
  format: string;
  description: string;
  settings: Record<string, unknown>;
  parameters: Record<string, unknown>;
}

/** A model that can be fetched. */
export interface Found {
  name: string;
  source: string;
  size: number | null;
  licence: string;
  remark: string;
  downloads: number | null;
  /** fits, too large; empty: its size is not known. */
  fit: string;
  /** The model that it is here already. */
  here: string | null;
}

/** One of the files of a repository, of `GET /hub/choices?source=…`: its `id` is what to fetch. */
export interface Choice {
  id: string;
  quantisation: string;
  size: number | null;
  fit: string;
  /** What is fetched where nobody chooses. */
  chosen: boolean;
  remark: string;
}

/** Where the key of an engine comes from: never the key, nor a part of it. */
export interface KeyRow {
  engine: string;
  /** Where it goes, if that is not the engine's own. */
  host: string;
  /** Empty: it has none. */
  source: string;
  /** How to give it one; of one that was set, what wins over it. */
  hint: string;
  /** It is kept by us, and can be removed. */
  kept: boolean;
}

export interface EngineRow {
  id: string;
  kind: string;
  /** ready, needs key, needs base_url, not installed, broken, not running */
  state: string;
  /** How to mend that; where it is ready its address. */
  remark: string;
  package: string;
  models: number;
  address: string;
}
