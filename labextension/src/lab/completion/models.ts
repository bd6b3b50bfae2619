// The models that may be asked, as the server lists them.

import type { Server } from "../server";

export interface Model {
  id: string;
  name: string;
  engine: string;
  state: string;
  /** Whether what it is asked stays on this machine; else to whom it goes. */
  local: boolean;
  host: string;
  /** Tokens; 0: nobody says. */
  context: number;
}

export class Models {
  private known: Promise<Model[]> | null = null;

  constructor(private readonly server: Server) {}

  async list(again = false): Promise<Model[]> {
    if (again) this.known = null;
    this.known ??= this.server.get<{ data: Model[] }>("models?details=true").then(({ data }) => data);
    try {
      return await this.known;
    } catch (error) {
      this.known = null;
      throw error;
    }
  }

  /** That of a name; looks once more if there was none. */
  async find(id: string): Promise<Model | undefined> {
    const one = (models: Model[]) => models.find((model) => model.id === id);
    return one(await this.list()) ?? one(await this.list(true));
  }
}

/** Where what goes to it is read. */
export const reader = ({ host, engine }: Model): string => host || engine;
