// The way to `jan/v1` of the Jupyter server that has given out the page: by its own address, login and
// protection, whatever the page's place (a hub, a proxy).

import { t } from "../words";
import type { Application, Packages, ServerConnection, ServerSettings } from "./jupyter";

/** Where the API is, below the server's address. */
const API = "jan/v1/";

/** What the API has to say against a request; `message` is for people. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** The status with which the API has refused, 0: it has not. The error may be of another bundle's class. */
export const statusOf = (error: unknown): number => (error as Partial<Refused> | undefined)?.status ?? 0;

export class Server {
  private readonly connection: ServerConnection;
  private readonly settings: ServerSettings;

  constructor(packages: Pick<Packages, "services">, app: Application) {
    this.connection = packages.services.ServerConnection;
    this.settings = app.serviceManager.serverSettings;
  }

  /** Its address, which tells servers of one origin apart. */
  get place(): string {
    return this.settings.baseUrl;
  }

  /** Ask; `path` as `models` or `models/jan-mini/load`. Throws `Refused`, or what the network says. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await this.connection.makeRequest(this.settings.baseUrl + API + path, init, this.settings);
    if (answer.ok) return answer;
    const said = (await answer.json().catch(() => null)) as { error?: { message?: string } } | null;
    const missing = answer.status === 404 && !said?.error;
    const message = missing ? t("This Jupyter server does not know jan_jupyter: install it there, too.") : said?.error?.message;
    throw new Refused(message || t("The server says %1.", answer.status), answer.status);
  }

  async get<Answer>(path: string): Promise<Answer> {
    return (await (await this.fetch(path)).json()) as Answer;
  }

  async send<Answer>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Answer> {
    const sent = body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    return (await (await this.fetch(path, { method, signal, ...sent })).json()) as Answer;
  }

  /** A WebSocket of the API, as `panel`. */
  socket(path: string, query: Record<string, string> = {}): WebSocket {
    const { wsUrl, token, appendToken, WebSocket } = this.settings;
    const asked = new URLSearchParams(query);
    if (appendToken && token) asked.set("token", token);
    return new WebSocket(`${wsUrl}${API}${path}${asked.size ? `?${asked}` : ""}`);
  }
}
