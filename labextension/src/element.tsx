// <jan-chat>: the chat as one custom element. Set its `session`, put it into a page.

import type { ComponentChild } from "preact";
import type { Session } from "./session";
import { element, Shell } from "./shell";
import css from "./style.css";
import { App } from "./ui/App";

export class JanChat extends Shell {
  session: Session | null = null;
  protected readonly css = css;

  /** To where a question is written. */
  override focus(): void {
    this.shadowRoot?.querySelector<HTMLElement>(".composer > textarea")?.focus();
  }

  protected content(): ComponentChild {
    return this.session && <App session={this.session} root={this} />;
  }
}

export function make(session: Session): JanChat {
  const chat = element("jan-chat", JanChat);
  chat.session = session;
  return chat;
}
