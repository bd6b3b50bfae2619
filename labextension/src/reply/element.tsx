// <jan-reply> and <jan-conversation>: an answer, and a saved conversation, in an output.

import { render, type ComponentChild } from "preact";
import { element, Shell } from "../shell";
import { ConversationView } from "./Conversation";
import type { Place } from "./place";
import type { Conversation } from "./protocol";
import { ReplyView } from "./Reply";
import type { Store } from "./store";
import css from "./style.css";

export class JanReply extends Shell {
  store: Store | null = null;
  protected readonly css = css;

  protected content(): ComponentChild {
    return this.store && <ReplyView store={this.store} />;
  }
}

export class JanConversation extends Shell {
  place: Place | null = null;
  private conversation: Conversation | null = null;
  protected readonly css = css;

  /** Show another state of it. */
  show(conversation: Conversation): void {
    this.conversation = conversation;
    const place = this.shadowRoot?.querySelector(".place");
    if (place) render(this.content(), place);
  }

  protected content(): ComponentChild {
    const { conversation, place } = this;
    return conversation && place && <ConversationView conversation={conversation} place={place} />;
  }
}

export function makeReply(store: Store): JanReply {
  const reply = element("jan-reply", JanReply);
  reply.store = store;
  return reply;
}

export function makeConversation(place: Place): JanConversation {
  const conversation = element("jan-conversation", JanConversation);
  conversation.place = place;
  return conversation;
}
